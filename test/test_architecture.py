# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that a machine can keep: layers, cycles, imports, sizes."""

import ast
import statistics
import subprocess
import sys
import tokenize
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'vizion3d_ros'
# imports go left only
CORE = ['contracts', 'geometry', 'engine', 'pipeline', 'files', 'requests', 'worker', 'ros']
DOOR = {'contracts', 'geometry', 'engine', 'pipeline', 'requests'}
SIDE = {
    'testbed': {'contracts', 'geometry'},
    'report': {'contracts', 'geometry', 'files'},
    'fetch_models': {'contracts', 'engine'},
    'stereo': DOOR,
    'lifting': DOOR,
    'cli': DOOR | {'files', 'report'},
    'launching': set(),
}
CORE_FROM_SIDE = {'ros': {'testbed', 'report', 'fetch_models'}}
ROS = {
    *('rclpy', 'rclcpp', 'launch', 'launch_ros', 'launch_testing', 'message_filters', 'cv_bridge'),
    *('sensor_msgs_py', 'tf2_ros', 'tf2_py', 'builtin_interfaces', 'rosidl_runtime_py'),
    *('ament_index_python', 'rosbag2_py', 'image_transport_py', 'diagnostic_updater'),
}
KNOW_ROS = {'ros', 'launching'}  # the second is read by `ros2 launch` alone
HEAVY = {'torch', 'torchvision', 'open3d'}
HEAVY_ALLOWED = (
    *('geometry', 'pipeline', 'requests', 'ros'),
    *('engine.networks', 'engine.device', 'engine.replay', 'engine.network_backend'),
    *('engine.s2m2', 'engine.depth_anything_v2'),
)
MAX_LINES, MAX_NETWORK_LINES, MAX_FUNCTION, MEDIAN_FUNCTION = 300, 400, 50, 8

MODULES = {
    '.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__'): path
    for path in sorted(PACKAGE.rglob('*.py'))
}
SCRIPTS = [
    path
    for folder in ('vizion3d_ros', 'test', 'demo', 'benchmarks', 'docs', 'launch', 'standalone')
    for path in sorted((ROOT / folder).rglob('*.py'))
    if not any(part.startswith('.') for part in path.relative_to(ROOT).parts)
]
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def named(node, module):
    """Modules that one import statement names, absolute; its names may be modules as well."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ''
    if node.level:
        package = module if MODULES[module].name == '__init__.py' else module.rpartition('.')[0]
        above = package.split('.')[: len(package.split('.')) - node.level + 1]
        base = '.'.join([*above, base] if base else above)
    return [base, *(f'{base}.{alias.name}' for alias in node.names)]


def is_typing_only(node):
    return isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.unparse(node.test)


def imports(module, *, inside_functions=True, typing=True):
    """Every name that a module imports."""
    found, waiting = [], [ast.parse(MODULES[module].read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found += named(node, module)
        skip = isinstance(node, FUNCTION) and not inside_functions
        if not skip and (typing or not is_typing_only(node)):
            waiting += ast.iter_child_nodes(node)
    return found


def part(module):
    """contracts, geometry, ...: the part of the package; '' is the package itself."""
    return module.split('.')[1] if '.' in module else ''


def ours(names):
    return {name for name in names if name in MODULES}


@pytest.mark.parametrize('module', MODULES)
def test_imports_go_one_way(module):
    here = part(module)
    assert here in {'', *CORE, *SIDE}, f'{module} has no place in the order of the layers'
    allowed = {'', 'contracts'} if here == '' else {here, *SIDE.get(here, ())}
    if here in CORE:
        allowed |= set(CORE[: CORE.index(here)]) | CORE_FROM_SIDE.get(here, set())
    used = {part(name) for name in ours(imports(module)) if name != 'vizion3d_ros'}
    assert used <= allowed, f'{module} imports {sorted(used - allowed)}'


def test_no_module_imports_itself_through_others():
    graph = {
        module: ours(imports(module, typing=False)) - {module, 'vizion3d_ros'}
        for module in MODULES
    }
    graph = {
        module: {name for name in used if not module.startswith(f'{name}.')}
        for module, used in graph.items()
    }
    assert set(TopologicalSorter(graph).static_order()) >= set(MODULES)


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
    assert 'open3d' not in heavy
    if not module.removeprefix('vizion3d_ros.').startswith(HEAVY_ALLOWED):
        assert not heavy


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


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize('path', SCRIPTS, ids=relative)
def test_files_are_short_and_carry_the_licence(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= (MAX_NETWORK_LINES if 'networks' in path.parts else MAX_LINES)
    assert any('SPDX-License-Identifier: Apache-2.0' in line for line in lines[:2])


def code_lines(path):
    """Line numbers that hold code: no blank line, no comment."""
    silent = {
        *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
        *(tokenize.ENCODING, tokenize.ENDMARKER),
    }
    with tokenize.open(path) as source:
        tokens = [t for t in tokenize.generate_tokens(source.readline) if t.type not in silent]
    return {line for t in tokens for line in range(t.start[0], t.end[0] + 1)}


def function_sizes():
    """Code lines of every function of the package, its docstring not counted."""
    for module, path in MODULES.items():
        written = code_lines(path)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, FUNCTION):
                own = {line for line in written if node.lineno <= line <= node.end_lineno}
                if ast.get_docstring(node):
                    own -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
                yield f'{module}.{node.name}', len(own)


def test_functions_are_small():
    sizes = dict(function_sizes())
    long = {n: size for n, size in sizes.items() if size > MAX_FUNCTION and '.networks.' not in n}
    assert long == {}
    assert statistics.median(sizes.values()) <= MEDIAN_FUNCTION
