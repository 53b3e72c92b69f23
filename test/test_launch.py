# SPDX-License-Identifier: Apache-2.0
"""Both launch files, carried out by stand-ins for launch and launch_ros, and by the real ones."""

import subprocess
import sys
from pathlib import Path

import launch_stand_ins
import pytest
import yaml
from launch_stand_ins import ROOT, DeclareLaunchArgument, launch_file

COMMON_ARGUMENTS = {
    *('namespace', 'image', 'camera_info', 'params_file', 'rectify', 'autostart', 'use_sim_time'),
    *('image_transport', 'min_depth', 'max_depth', 'use_fqn', 'log_level', 'rviz', 'fixed_frame'),
    *('camera_frame', 'parent_frame', 'camera_pose', 'camera_namespace', 'transport_profile'),
}
STEREO_ARGUMENTS = {
    *('left_namespace', 'right_namespace', 'camera_name', 'backend', 'preset', 'baseline_m'),
}
EXPECTED_ARGUMENTS = {
    'stereo': COMMON_ARGUMENTS | STEREO_ARGUMENTS,
    'mono': COMMON_ARGUMENTS | {'model', 'sparse_points', 'sparse_image'},
}
SHARED = 'vizion3d_ros.launching'
VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')

both = pytest.mark.parametrize('kind', ['stereo', 'mono'])


def remappings(node):
    return {ours: ''.join(theirs) for ours, theirs in node.remappings}


def overrides(node):
    """What stands behind the parameter file, which later entries overrule."""
    merged = {}
    for parameters in node.parameters:
        if isinstance(parameters, dict):
            merged.update(parameters)
    return merged


@pytest.mark.usefixtures('launch_packages')
def test_annotation_has_arguments_for_its_inputs_and_none_to_rectify():
    description = launch_stand_ins.describe(launch_file('annotation'))
    declared = {e.name for e in description.entities if isinstance(e, DeclareLaunchArgument)}
    own = {'depth', 'depth_info', 'points', 'instances', 'detections', 'backend', 'cloud', 'box'}
    assert declared == (COMMON_ARGUMENTS | own) - {'rectify', 'camera_info', 'camera_namespace'}


def shipped_view(kind):
    return yaml.safe_load((ROOT / 'rviz' / f'{kind}.rviz').read_text())['Visualization Manager']


# --- the arguments ---------------------------------------------------------------------------


@both
@pytest.mark.usefixtures('launch_packages')
def test_arguments_are_the_documented_ones_and_described(kind):
    entities = launch_stand_ins.describe(launch_file(kind)).entities
    declared = [entity for entity in entities if isinstance(entity, DeclareLaunchArgument)]
    assert {argument.name for argument in declared} == EXPECTED_ARGUMENTS[kind]
    assert all(len(argument.description) > 10 for argument in declared)


@both
def test_show_args_needs_nothing_that_comes_from_pip(kind):
    code = (
        'import sys, launch_stand_ins\n'
        'sys.modules.update(launch_stand_ins.stand_ins())\n'
        f'assert launch_stand_ins.describe({str(launch_file(kind))!r}).entities\n'
        f'assert {SHARED!r} in sys.modules\n'
        "print(*{'pydantic', 'torch', 'rclpy', 'open3d', 'cv2'} & sys.modules.keys())\n"
    )
    done = subprocess.run(
        [sys.executable, '-c', f'import sys; sys.path.insert(0, {str(ROOT / "test")!r})\n{code}'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '\n', '')


# --- the node --------------------------------------------------------------------------------


@both
def test_the_node_runs_alone_with_the_shipped_parameters(launch, kind):
    nodes = launch(kind).nodes
    assert nodes.keys() == {f'{kind}_node'}
    node = nodes[f'{kind}_node']
    assert (node.package, node.name, node.namespace) == ('vizion3d_ros', f'{kind}_node', '')
    assert node.parameters[0] == str(ROOT / 'config' / f'{kind}.yaml')
    assert Path(node.parameters[0]).is_file()


@both
def test_namespace_parameter_file_and_log_level_reach_the_node(launch, kind, tmp_path):
    own = tmp_path / 'my.yaml'
    own.touch()
    context = launch(kind, namespace='front', params_file=str(own), log_level='debug')
    node = context.nodes[f'front/{kind}_node']
    assert node.namespace == 'front'
    assert node.parameters[0] == str(own)
    assert node.ros_arguments == ['--log-level', 'debug']


@both
@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ({}, {}),
        ({'rectify': 'true'}, {'rectify': True}),
        ({'autostart': 'false'}, {'autostart': False}),
        ({'use_sim_time': 'true'}, {'use_sim_time': True}),
        ({'rectify': '', 'autostart': 'true', 'use_sim_time': ''}, {'autostart': True}),
        ({'min_depth': '0.4', 'max_depth': '9'}, {'min_depth': 0.4, 'max_depth': 9}),
        ({'image_transport': 'compressed'}, {'image_transport': 'compressed'}),
        ({'use_fqn': 'true'}, {'diagnostic_updater.use_fqn': True}),
    ],
)
def test_the_parameter_file_is_overruled_only_by_what_was_given(launch, kind, given, expected):
    assert overrides(launch(kind, **given).nodes[f'{kind}_node']) == expected


@pytest.mark.parametrize(
    ('kind', 'given', 'parameter'),
    [
        ('stereo', {'backend': 's2m2'}, 'backend'),
        ('stereo', {'preset': 'fast'}, 'sgbm.preset'),
        ('mono', {'model': '/my/network.pth'}, 'depth_anything_v2.model_backend'),
    ],
)
def test_what_computes_the_depth_can_be_chosen(launch, kind, given, parameter):
    (value,) = given.values()
    assert overrides(launch(kind, **given).nodes[f'{kind}_node']) == {parameter: value}


@both
def test_every_parameter_that_is_set_is_one_of_the_shipped_file(launch, kind):
    names = EXPECTED_ARGUMENTS[kind] - {'use_sim_time'}
    file = yaml.safe_load((ROOT / 'config' / f'{kind}.yaml').read_text())['/**']
    set_parameters = {
        *('rectify', 'autostart', 'backend', 'model', 'min_depth', 'max_depth', 'preset'),
        *('image_transport', 'use_fqn', 'baseline_m'),
    }
    given = dict.fromkeys(names & set_parameters, 'x')
    for name in overrides(launch(kind, **given).nodes[f'{kind}_node']):
        value = file['ros__parameters']
        for part in name.split('.'):
            value = value[part]


# --- its inputs ------------------------------------------------------------------------------


def test_without_arguments_every_stereo_topic_keeps_its_name(launch):
    renamed = remappings(launch('stereo').nodes['stereo_node'])
    inputs = ('left/image_rect', 'left/camera_info', 'right/image_rect', 'right/camera_info')
    assert renamed == {name: name for name in inputs}


def test_stereo_inputs_are_those_of_the_camera_namespaces(launch):
    context = launch(
        'stereo',
        left_namespace='/rig/infra1',
        right_namespace='/rig/infra2/',
        image='image_rect_raw',
    )
    assert remappings(context.nodes['stereo_node']) == {
        'left/image_rect': '/rig/infra1/image_rect_raw',
        'left/camera_info': '/rig/infra1/camera_info',
        'right/image_rect': '/rig/infra2/image_rect_raw',
        'right/camera_info': '/rig/infra2/camera_info',
    }


@pytest.mark.parametrize(
    ('given', 'image', 'camera_info'),
    [
        ({}, 'camera/image_rect', 'camera/camera_info'),
        ({'image': 'image_raw'}, 'camera/image_raw', 'camera/camera_info'),
        ({'camera_namespace': '/cam/'}, '/cam/image_rect', '/cam/camera_info'),
        ({'camera_namespace': '/'}, '/image_rect', '/camera_info'),
        ({'camera_namespace': ''}, 'image_rect', 'camera_info'),
        ({'camera_info': '/calibration'}, 'camera/image_rect', '/calibration'),
    ],
)
def test_the_mono_image_is_that_of_the_camera_namespace(launch, given, image, camera_info):
    renamed = remappings(launch('mono', **given).nodes['mono_node'])
    assert renamed == {'image_rect': image, 'camera_info': camera_info}


@pytest.mark.parametrize(
    ('argument', 'sparse_input'),
    [('sparse_points', 'sparse_depth/points'), ('sparse_image', 'sparse_depth/image')],
)
def test_sparse_depth_comes_from_the_topic_that_was_named(launch, argument, sparse_input):
    unnamed = remappings(launch('mono').nodes['mono_node'])
    renamed = remappings(launch('mono', **{argument: '/theirs'}).nodes['mono_node'])
    assert renamed == {**unnamed, sparse_input: '/theirs'}


@both
def test_only_inputs_that_the_node_has_are_renamed(launch, kind):
    topics = pytest.importorskip('vizion3d_ros.ros.stream.topics')
    inputs = {'stereo': topics.STEREO_INPUTS, 'mono': topics.MONO_INPUTS}[kind]
    sparse = {'sparse_points': '/a', 'sparse_image': '/b'} if kind == 'mono' else {}
    assert remappings(launch(kind, **sparse).nodes[f'{kind}_node']).keys() == inputs.keys()


# --- rviz2 and the transport -----------------------------------------------------------------


@both
@pytest.mark.usefixtures('everything_installed')
def test_rviz_shows_the_topics_of_the_node_in_the_frame_asked_for(launch, kind):
    arguments = {'namespace': 'front', 'image': 'image_raw', 'fixed_frame': 'base_link'}
    nodes = launch(kind, rviz='true', use_sim_time='true', **arguments).nodes
    rviz, node = nodes['front/rviz2'], nodes[f'front/{kind}_node']
    assert rviz.package == 'rviz2'
    assert (rviz.namespace, remappings(rviz)) == (node.namespace, remappings(node))
    assert rviz.arguments == ['-d', str(ROOT / 'rviz' / f'{kind}.rviz'), '-f', 'base_link']
    assert overrides(rviz) == {'use_sim_time': True}


@both
@pytest.mark.usefixtures('everything_installed')
def test_rviz_starts_in_the_frame_that_the_shipped_view_names(launch, kind):
    rviz = launch(kind, rviz='true').nodes['rviz2']
    assert rviz.arguments[-2:] == ['-f', shipped_view(kind)['Global Options']['Fixed Frame']]


@both
def test_the_shipped_view_shows_topics_that_there_are(kind):
    topics = pytest.importorskip('vizion3d_ros.ros.stream.topics')
    tables = {
        'stereo': (topics.STEREO_INPUTS, topics.STEREO_OUTPUTS),
        'mono': (topics.MONO_INPUTS, topics.MONO_OUTPUTS),
    }
    inputs, outputs = tables[kind]
    types = {**inputs, **{name: output.type for name, output in outputs.items()}}
    shown = {d['Topic']['Value']: d['Class'] for d in shipped_view(kind)['Displays']}
    assert {'points2', 'depth/image_color'} <= shown.keys()
    for topic, display in shown.items():
        assert display == f'rviz_default_plugins/{types[topic].__name__}'


@both
def test_the_transport_profile_is_chosen_under_both_names(launch, kind):
    profile = str(ROOT / 'config' / 'fastdds_shm.xml')
    assert Path(profile).is_file()
    assert launch(kind).environment == dict.fromkeys(VARIABLES, profile)


def test_a_profile_of_the_environment_stays(launch):
    environment = {VARIABLES[0]: '/mine.xml'}
    assert launch('mono', environment).environment[VARIABLES[0]] == '/mine.xml'


@pytest.mark.parametrize('none', ['none', ''])
def test_without_a_transport_profile_nothing_changes(launch, none):
    assert launch('mono', transport_profile=none).environment == {}
