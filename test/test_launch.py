# SPDX-License-Identifier: Apache-2.0
"""The launch file, carried out by stand-ins for launch and launch_ros, and by the real ones."""

import ast
import runpy
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
LAUNCH_FILE = ROOT / 'launch' / 'stereo.launch.py'
EXPECTED_ARGUMENTS = {
    *('namespace', 'left_namespace', 'right_namespace', 'params_file', 'use_sim_time'),
    *('log_level', 'rviz', 'fixed_frame', 'backend', 'autostart'),
}


@dataclass
class LaunchConfiguration:
    name: str

    def perform(self, context):
        return context.launch_configurations[self.name]


@dataclass
class PathJoinSubstitution:
    parts: list

    def perform(self, context):
        return '/'.join(resolve(self.parts, context))


@dataclass
class FindPackageShare:
    package: str

    def perform(self, context):
        assert self.package == 'vizion3d_ros'
        return str(ROOT)


@dataclass
class IfCondition:
    predicate: LaunchConfiguration

    def evaluate(self, context):
        return resolve(self.predicate, context).lower() in ('true', '1')


@dataclass
class DeclareLaunchArgument:
    name: str
    default_value: object
    description: str

    def execute(self, context):
        value = resolve(self.default_value, context)
        context.launch_configurations.setdefault(self.name, value)


@dataclass
class OpaqueFunction:
    function: object

    def execute(self, context):
        for entity in self.function(context):
            entity.execute(context)


@dataclass
class SetEnvironmentVariable:
    name: str
    value: object

    def execute(self, context):
        context.environment[self.name] = resolve(self.value, context)


@dataclass
class Node:
    """The keywords of the real one that we use; another is a TypeError."""

    package: str
    executable: str
    name: object = None
    namespace: object = ''
    parameters: list = field(default_factory=list)
    remappings: list = field(default_factory=list)
    arguments: list = field(default_factory=list)
    ros_arguments: list = field(default_factory=list)
    output: str = 'log'
    emulate_tty: bool = False
    condition: IfCondition | None = None

    def execute(self, context):
        if self.condition is None or self.condition.evaluate(context):
            values = {key: resolve(value, context) for key, value in vars(self).items()}
            context.nodes[self.executable] = SimpleNamespace(**values)


@dataclass
class LaunchDescription:
    entities: list


@dataclass
class LaunchContext:
    launch_configurations: dict
    environment: dict
    nodes: dict = field(default_factory=dict)


def resolve(value, context):
    """Carry out the substitutions in a value."""
    if hasattr(value, 'perform'):
        return value.perform(context)
    if isinstance(value, (list, tuple)):
        return [resolve(item, context) for item in value]
    return value


STAND_INS = {
    'launch': (LaunchContext, LaunchDescription),
    'launch.actions': (DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable),
    'launch.conditions': (IfCondition,),
    'launch.substitutions': (LaunchConfiguration, PathJoinSubstitution),
    'launch_ros': (),
    'launch_ros.actions': (Node,),
    'launch_ros.substitutions': (FindPackageShare,),
}


@pytest.fixture
def run(monkeypatch):
    """Call it with launch arguments and environment variables to get the context afterwards."""
    for name, members in STAND_INS.items():
        module = ModuleType(name)
        vars(module).update({member.__name__: member for member in members})
        monkeypatch.setitem(sys.modules, name, module)

    def launch(environment=(), **arguments):
        context = LaunchContext(arguments, dict(environment))
        for entity in runpy.run_path(str(LAUNCH_FILE))['generate_launch_description']().entities:
            entity.execute(context)
        return context

    return launch


def remappings(node):
    return {ours: ''.join(theirs) for ours, theirs in node.remappings}


def overrides(node):
    """What stands behind the parameter file, which later entries overrule."""
    merged = {}
    for parameters in node.parameters:
        if isinstance(parameters, dict):
            merged.update(parameters)
    return merged


# --- the arguments ---------------------------------------------------------------------------


@pytest.mark.usefixtures('run')
def test_arguments_of_the_conventions_are_there_and_described():
    entities = runpy.run_path(str(LAUNCH_FILE))['generate_launch_description']().entities
    declared = [entity for entity in entities if isinstance(entity, DeclareLaunchArgument)]
    assert {argument.name for argument in declared} >= EXPECTED_ARGUMENTS
    assert all(len(argument.description) > 10 for argument in declared)


def test_show_args_needs_neither_torch_nor_the_product():
    imported = {
        (node.module or '') if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(LAUNCH_FILE.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    assert {name.partition('.')[0] for name in imported} <= {'launch', 'launch_ros', 'yaml'}


# --- the node --------------------------------------------------------------------------------


def test_the_stereo_node_runs_alone_with_the_shipped_parameters(run):
    nodes = run().nodes
    assert nodes.keys() == {'stereo_node'}
    node = nodes['stereo_node']
    assert (node.package, node.name, node.namespace) == ('vizion3d_ros', 'stereo_node', '')
    assert node.parameters[0] == str(ROOT / 'config' / 'stereo.yaml')
    assert Path(node.parameters[0]).is_file()


def test_namespace_parameter_file_and_log_level_reach_the_node(run):
    context = run(namespace='front', params_file='/my.yaml', log_level='debug')
    node = context.nodes['stereo_node']
    assert node.namespace == 'front'
    assert node.parameters[0] == '/my.yaml'
    assert node.ros_arguments == ['--log-level', 'debug']


def test_without_arguments_every_topic_keeps_its_name(run):
    renamed = remappings(run().nodes['stereo_node'])
    inputs = ('left/image_rect', 'left/camera_info', 'right/image_rect', 'right/camera_info')
    assert renamed == {name: name for name in inputs}


def test_inputs_are_those_of_the_camera_namespaces(run):
    context = run(
        left_namespace='/rig/infra1', right_namespace='/rig/infra2/', image='image_rect_raw'
    )
    assert remappings(context.nodes['stereo_node']) == {
        'left/image_rect': '/rig/infra1/image_rect_raw',
        'left/camera_info': '/rig/infra1/camera_info',
        'right/image_rect': '/rig/infra2/image_rect_raw',
        'right/camera_info': '/rig/infra2/camera_info',
    }


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ({}, {}),
        ({'backend': 's2m2'}, {'backend': 's2m2'}),
        ({'autostart': 'false'}, {'autostart': False}),
        ({'use_sim_time': 'true'}, {'use_sim_time': True}),
        ({'backend': '', 'autostart': 'true', 'use_sim_time': ''}, {'autostart': True}),
    ],
)
def test_the_parameter_file_is_overruled_only_by_what_was_given(run, given, expected):
    assert overrides(run(**given).nodes['stereo_node']) == expected


# --- rviz2 and the transport -----------------------------------------------------------------


def test_rviz_shows_the_topics_of_the_node_in_the_frame_asked_for(run):
    arguments = {'namespace': 'front', 'left_namespace': '/l', 'right_namespace': '/r'}
    nodes = run(rviz='true', fixed_frame='base_link', use_sim_time='true', **arguments).nodes
    rviz, node = nodes['rviz2'], nodes['stereo_node']
    assert rviz.package == 'rviz2'
    assert (rviz.namespace, remappings(rviz)) == (node.namespace, remappings(node))
    assert rviz.arguments == ['-d', str(ROOT / 'rviz' / 'stereo.rviz'), '-f', 'base_link']
    assert overrides(rviz) == {'use_sim_time': True}
    assert Path(rviz.arguments[1]).is_file()


def test_rviz_starts_in_the_frame_that_the_shipped_view_names(run):
    rviz = run(rviz='true').nodes['rviz2']
    view = yaml.safe_load((ROOT / 'rviz' / 'stereo.rviz').read_text())
    frame = view['Visualization Manager']['Global Options']['Fixed Frame']
    assert rviz.arguments[-2:] == ['-f', frame]


VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def test_the_transport_profile_is_chosen_under_both_names(run):
    profile = str(ROOT / 'config' / 'fastdds_shm.xml')
    assert Path(profile).is_file()
    assert run().environment == dict.fromkeys(VARIABLES, profile)


def test_a_profile_of_the_environment_stays(run):
    assert run({VARIABLES[0]: '/mine.xml'}).environment[VARIABLES[0]] == '/mine.xml'


def test_an_empty_transport_profile_changes_nothing(run):
    assert run(transport_profile='').environment == {}


# --- the real packages -----------------------------------------------------------------------


def test_real_launch_makes_the_nodes():
    pytest.importorskip('launch_ros', reason='launch_ros comes with a ROS distribution only')
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    import launch

    description = get_launch_description_from_python_launch_file(str(LAUNCH_FILE))
    names = {argument.name for argument in description.get_launch_arguments()}
    assert names >= EXPECTED_ARGUMENTS
    context = launch.LaunchContext()
    made = [made for entity in description.entities for made in entity.visit(context) or ()]
    nodes = [entity.node_executable for entity in made if hasattr(entity, 'node_executable')]
    assert nodes == ['stereo_node', 'rviz2']
