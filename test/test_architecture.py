# SPDX-License-Identifier: Apache-2.0
"""The rules of the house about imports: layers, rooms, circles, and what is heavy."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest
from source_tree import MODULES, ROOT, TREES, imports, ours, part

# imports go left only
CORE = [
    *('contracts', 'geometry', 'engine', 'pipeline', 'files', 'incoming', 'bags', 'requests'),
    *('worker', 'proto', 'doors', 'ros'),
]
DOOR = {'contracts', 'geometry', 'engine', 'pipeline', 'requests'}
SIDE = {
    'testbed': {'contracts', 'geometry'},
    'report': {'contracts', 'geometry', 'files'},
    'diagnosis': {'contracts'},
    'fetch_models': {'contracts', 'engine'},
    'stereo': DOOR,
    'lifting': DOOR,
    'annotation': DOOR,
    'cli': DOOR | {'files', 'incoming', 'bags', 'report'},
    'transport': set(),
    'launching': {'transport'},
}
CORE_FROM_SIDE = {
    'requests': {'diagnosis'},  # an answer says what is wrong with it, whatever the door
    'ros': {'testbed', 'report', 'fetch_models', 'transport', 'diagnosis'},
}
ROS = {
    *('rclpy', 'rclcpp', 'launch', 'launch_ros', 'launch_testing', 'message_filters', 'cv_bridge'),
    *('sensor_msgs_py', 'tf2_ros', 'tf2_py', 'builtin_interfaces', 'rosidl_runtime_py'),
    *('ament_index_python', 'rosbag2_py', 'image_transport_py', 'diagnostic_updater'),
}
KNOW_ROS = {'ros', 'launching', 'transport'}  # `ros2 launch` reads the second
ON_USE = {'open3d', 'onnx', 'onnxruntime', 'onnxscript', 'openvino'}
HEAVY = {'torch', 'torchvision'} | ON_USE
HEAVY_ALLOWED = (
    *('geometry', 'pipeline', 'bags.depth', 'requests', 'ros'),
    *('engine.networks', 'engine.device', 'engine.replay', 'engine.network_backend'),
    *('engine.s2m2', 'engine.depth_anything_v2', 'engine.onnx.'),
    'engine.segmenters',
)
# Inside ros/: each room may import those before it; testbed stands at the side.
ROS_ROOMS = [
    *('given', 'parameters', 'throttle', 'log', 'compat', 'arguments', 'run', 'executables'),
    *('messages', 'stream', 'health', 'serving', 'nodes'),
]
ROS_TESTBED = {'parameters', 'compat', 'run', 'messages', 'stream', 'testbed'}

PUBLIC = {'vizion3d_ros', 'vizion3d_ros.annotation'}  # what others take
FOLDERS = sorted({module.rpartition('.')[0] for module in MODULES} - {''})


@pytest.mark.parametrize('module', MODULES)
def test_imports_go_one_way(module):
    here = part(module)
    assert here in {'', *CORE, *SIDE}, f'{module} has no place in the order of the layers'
    allowed = {'', 'contracts', 'pipeline'} if here == '' else {here, *SIDE.get(here, ())}
    if here in CORE:
        allowed |= set(CORE[: CORE.index(here)]) | CORE_FROM_SIDE.get(here, set())
    used = {part(name) for name in ours(module)}
    assert used <= allowed, f'{module} imports {sorted(used - allowed)}'


def arrows():
    """Which modules import which."""
    return {module: ours(module) for module in MODULES}


def test_no_module_imports_itself_through_others():
    """Not for its types either: who reads the one has to read the other."""
    assert set(TopologicalSorter(arrows()).static_order()) >= set(MODULES)


def room(module, folder):
    """What of a folder holds a module: a folder in it or the module itself; '' is the outside."""
    inside = module.startswith(f'{folder}.')
    return module.removeprefix(f'{folder}.').split('.')[0] if inside else ''


@pytest.mark.parametrize('folder', FOLDERS)
def test_no_folder_imports_itself_through_others(folder):
    graph = {}
    for module, used in arrows().items():
        here = room(module, folder)
        graph.setdefault(here, set()).update({room(name, folder) for name in used} - {here, ''})
    graph.pop('')
    assert set(TopologicalSorter(graph).static_order()) == set(graph)


@pytest.mark.parametrize('module', [m for m in MODULES if m.startswith('vizion3d_ros.ros.')])
def test_the_rooms_of_ros_are_in_order(module):
    here = room(module, 'vizion3d_ros.ros')
    assert here in {*ROS_ROOMS, 'testbed'}, f'{module} has no place in the order of the rooms'
    allowed = ROS_TESTBED if here == 'testbed' else ROS_ROOMS[: ROS_ROOMS.index(here) + 1]
    used = {room(name, 'vizion3d_ros.ros') for name in arrows()[module]} - {''}
    assert used <= set(allowed), f'{module} imports {sorted(used - set(allowed))}'


def is_ros(name):
    top = name.split('.')[0]
    return top in ROS or top.endswith(('_msgs', '_interfaces', '_srvs'))


@pytest.mark.parametrize('module', [m for m in MODULES if part(m) not in KNOW_ROS])
def test_only_the_ros_folder_knows_ros(module):
    assert [name for name in imports(module) if is_ros(name)] == []


@pytest.mark.parametrize('module', MODULES)
def test_torch_and_open3d_are_imported_where_they_are_needed(module):
    at_start = imports(module, inside_functions=False, typing=False)
    heavy = {name.split('.')[0] for name in at_start} & HEAVY
    assert not heavy & ON_USE
    if not module.removeprefix('vizion3d_ros.').startswith(HEAVY_ALLOWED):
        assert not heavy


def test_what_a_folder_offers_is_taken():
    """A name in `__all__` counts as used for those who look for dead names."""
    nodes = [node for tree in TREES.values() for node in ast.walk(tree)]
    taken = {name for module in MODULES for name in imports(module)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    for module in set(FOLDERS) - PUBLIC:
        own = {node.id for node in ast.walk(TREES[module]) if isinstance(node, ast.Name)}
        lists = [n.value for n in TREES[module].body if ast.unparse(n).startswith('__all__ =')]
        offered = [name for names in lists for name in ast.literal_eval(names)]
        unused = [name for name in offered if f'{module}.{name}' not in taken]
        assert set(unused) <= attributes | own, module


def fresh_python(code):
    return subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def test_importing_the_package_is_light_and_silent():
    answer = fresh_python(
        'import sys, logging, vizion3d_ros\n'
        'assert not logging.getLogger().handlers\n'
        "assert not logging.getLogger('vizion3d_ros').handlers\n"
        'tops = {name.split(".")[0] for name in sys.modules}\n'
        "assert 'vizion3d_ros' in tops\n"
        f'loaded = tops & {HEAVY | ROS | {"sensor_msgs", "std_msgs", "stereo_msgs"}}\n'
        'assert not loaded, loaded\n'
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, '', '')


@pytest.mark.ros
@pytest.mark.parametrize('source', ['synthetic_rig', 'play_pair', 'recorder'])
def test_what_stands_for_cameras_starts_without_torch(source):
    answer = fresh_python(
        f'import sys, vizion3d_ros.ros.testbed.{source}\n'
        f'loaded = {HEAVY} & set(sys.modules)\n'
        'assert not loaded, loaded\n'
    )
    assert answer.returncode == 0, answer.stderr


def test_everything_outside_the_ros_folder_works_without_ros():
    others = [m for m in MODULES if part(m) not in KNOW_ROS and not m.endswith('__main__')]
    answer = fresh_python(
        'import sys, importlib\n'
        'class Blocked:\n'
        '    def find_spec(self, name, path=None, target=None):\n'
        f'        if name.split(".")[0] in {ROS} or name.endswith(("_msgs", "_interfaces")):\n'
        '            raise ImportError(f"{name} is not there")\n'
        'sys.meta_path.insert(0, Blocked())\n'
        f'for module in {others}:\n'
        '    importlib.import_module(module)\n'
    )
    assert answer.returncode == 0, answer.stderr


def test_what_the_package_offers_is_there():
    import vizion3d_ros

    assert vizion3d_ros.__all__ == sorted(vizion3d_ros.__all__)
    assert all(hasattr(vizion3d_ros, name) for name in vizion3d_ros.__all__)
