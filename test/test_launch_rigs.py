# SPDX-License-Identifier: Apache-2.0
"""A launch file for each rig: topics of its driver, parameters, what starts beside the node."""

import numpy as np
import pytest
import yaml
from launch_stand_ins import ROOT

from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.ros.parameters import build, fields

# Image and calibration of the left and the right side, as the driver has them.
TOPICS = {
    'realsense': ('/camera/camera/infra{}/image_rect_raw', '/camera/camera/infra{}/camera_info'),
    'zed': ('/zed/zed_node/{}/color/rect/image', '/zed/zed_node/{}/color/rect/camera_info'),
    'oakd': ('/oak/{}/image_raw', '/oak/{}/camera_info'),
    'camera_pair': ('/{}/image_raw', '/{}/camera_info'),
    'gazebo': ('/rig/{}/image', '/rig/{}/camera_info'),
    'isaac_sim': (
        '/front_stereo_camera/{}/image_rect_color',
        '/front_stereo_camera/{}/camera_info',
    ),
    'bag': ('{}/image_rect', '{}/camera_info'),
}
SIMULATED = {'gazebo', 'isaac_sim', 'bag'}
each_rig = pytest.mark.parametrize('rig', TOPICS)


def sides(rig):
    return (1, 2) if rig == 'realsense' else ('left', 'right')


def overrides(node):
    merged = {}
    for parameters in node.parameters:
        merged.update(parameters if isinstance(parameters, dict) else {})
    return merged


def remappings(node):
    return dict(node.remappings)


def flatten(group, prefix=''):
    for name, value in group.items():
        if isinstance(value, dict):
            yield from flatten(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value


def config(rig):
    text = (ROOT / 'config' / f'{rig}.yaml').read_text()
    return dict(flatten(yaml.safe_load(text)['/**']['ros__parameters']))


def test_every_launch_file_is_looked_at():
    names = {path.name.removesuffix('.launch.py') for path in (ROOT / 'launch').glob('*.py')}
    assert names == {'stereo', 'mono', 'annotation', 'two_rigs', *TOPICS}


@each_rig
def test_the_inputs_are_the_topics_of_the_driver(launch, rig):
    image, info = TOPICS[rig]
    expected = {}
    for ours, theirs in zip(('left', 'right'), sides(rig)):
        expected[f'{ours}/image_rect'] = image.format(theirs)
        expected[f'{ours}/camera_info'] = info.format(theirs)
    assert remappings(launch(rig).nodes['stereo_node']) == expected


@each_rig
def test_another_camera_name_moves_all_inputs(launch, rig):
    for topic in remappings(launch(rig, camera_name='front').nodes['stereo_node']).values():
        assert 'front' in topic.split('/')


@each_rig
def test_the_node_gets_the_file_of_its_rig_and_the_clock_that_is_there(launch, rig):
    node = launch(rig).nodes['stereo_node']
    assert node.parameters[0] == str(ROOT / 'config' / f'{rig}.yaml')
    assert overrides(node) == ({'use_sim_time': True} if rig in SIMULATED else {})


@each_rig
def test_the_file_of_a_rig_sets_what_the_node_declares_and_nothing_by_default(rig):
    declared = {name: field.default for name, field in fields(StereoSettings)}
    given = config(rig)
    assert given
    assert {type(value) for value in given.values()} <= {bool, int, float, str}
    for name, value in given.items():
        assert type(value) is type(declared[name]), name
        assert value != declared[name] or name == 'baseline_m', name
    build(StereoSettings, given)


@each_rig
def test_an_argument_wins_over_the_file(launch, rig):
    given = overrides(launch(rig, min_depth='0.2', preset='fast').nodes['stereo_node'])
    assert given.items() >= {'min_depth': 0.2, 'sgbm.preset': 'fast'}.items()


@pytest.mark.usefixtures('everything_installed')
def test_a_bag_is_played_with_its_clock(launch):
    context = launch('bag', bag='/data/run')
    assert context.processes == [['ros2', 'bag', 'play', '/data/run', '--clock']]
    assert launch('bag').processes == []


def test_two_plain_rigs_are_found_in_the_namespaces_of_their_nodes(launch):
    nodes = launch('two_rigs', first='front', second='rear', min_depth='0.3').nodes
    assert nodes.keys() == {'front/stereo_node', 'rear/stereo_node'}
    for node in nodes.values():
        assert remappings(node)['left/image_rect'] == 'left/image_rect'
        assert overrides(node) == {'diagnostic_updater.use_fqn': True, 'min_depth': 0.3}


def test_two_rigs_of_a_kind_are_told_apart_by_their_names(launch):
    nodes = launch('two_rigs', rig='realsense').nodes
    images = {name: remappings(node)['left/image_rect'] for name, node in nodes.items()}
    assert images == {
        'front/stereo_node': '/camera/front/infra1/image_rect_raw',
        'rear/stereo_node': '/camera/rear/infra1/image_rect_raw',
    }


# --- where the camera is -----------------------------------------------------------------------


def rotation(x, y, z, w):
    """The matrix of a quaternion, of unit length."""
    assert abs(x * x + y * y + z * z + w * w - 1) < 1e-6
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def axes(roll, pitch, yaw):
    """Rotation about the fixed axes x, then y, then z, as URDF and tf2 mean it."""
    (cr, cp, cy), (sr, sp, sy) = np.cos((roll, pitch, yaw)), np.sin((roll, pitch, yaw))
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


@pytest.mark.usefixtures('everything_installed')
@pytest.mark.parametrize('turn', [(0, 0, 0), (0, 0.4, 0), (0.1, -0.7, 2.0), (3.0, 1.0, -2.5)])
def test_the_optical_frame_is_published_where_the_camera_is(launch, turn):
    pose = ' '.join(map(str, (0.1, -0.2, 1.5, *turn)))
    frames = {'parent_frame': 'base_link', 'camera_frame': 'optical'}
    nodes = launch('stereo', camera_pose=pose, rviz='true', **frames).nodes
    words = nodes['static_transform_publisher'].arguments
    given = dict(zip(words[::2], words[1::2]))
    assert (given['--frame-id'], given['--child-frame-id']) == ('base_link', 'optical')
    assert [float(given[f'--{name}']) for name in 'xyz'] == [0.1, -0.2, 1.5]
    found = rotation(*(float(given[f'--q{name}']) for name in 'xyzw'))
    # Columns: right, down and forward of the camera in its own frame, x forward, y left, z up.
    optical = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    np.testing.assert_allclose(found, axes(*turn) @ optical, atol=1e-6)
    assert nodes['rviz2'].arguments[-1] == 'base_link', 'which is a frame of the tree'


def test_without_a_parent_frame_nothing_is_published(launch):
    assert launch('stereo').nodes.keys() == {'stereo_node'}
