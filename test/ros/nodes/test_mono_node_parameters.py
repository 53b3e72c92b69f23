# SPDX-License-Identifier: Apache-2.0
"""The mono node as an operator handles it: parameters, lifecycle, QoS, bad starts, the end."""

import signal

import pytest
from known_depth_node import RELATIVE_CHECKPOINT
from lifecycle_msgs.msg import State
from mono_robot import KNOWN_NODE, METRIC, MONO_NODE, MonoRobot, depth_error, measured
from rclpy.qos import qos_profile_sensor_data
from scene import FRAME_ID, pixels_of, to_ns

pytestmark = pytest.mark.ros

CHECKPOINT = 'depth_anything_v2.model_backend'


@pytest.fixture(scope='module')
def nodes(start_node):
    """Nodes that start together, and that the last tests end."""
    names = '/int', '/term', '/kept'
    return {name: start_node(name, METRIC, program=KNOWN_NODE) for name in names}


def assert_depth(robot, depths, send=None):
    depths.clear()
    assert depth_error(pixels_of(robot.ask(depths, send))) < 0.01


def test_a_checkpoint_of_the_other_kind_takes_effect_with_the_next_frame(meet):
    node, robot = meet('/int')
    depths, relatives = robot.listen('depth/image'), robot.listen('relative_depth/image')
    assert_depth(robot, depths)
    with robot.parameters(depth_anything_v2__model_backend=RELATIVE_CHECKPOINT):
        robot.ask(relatives)
        depths.clear()
        relatives.clear()
        robot.wait_for(lambda: len(relatives) >= 3, what='relative answers', every=robot.send)
        assert not depths
        node.wait_for_line('[WARN]', 'relative checkpoint')
        assert_depth(
            robot, depths, lambda: robot.send_scan_and_image(measured(), frame_id=FRAME_ID)
        )
    assert_depth(robot, depths)
    metric = [to_ns(robot.ask(depths).header.stamp) for _ in range(3)]
    assert not [relative for relative in relatives if to_ns(relative.header.stamp) >= metric[0]]


@pytest.mark.parametrize(
    ('bad', 'words'),
    [
        ({'backend': 'magic'}, ('backend', 'depth_anything_v2', 'magic')),
        ({'depth_anything_v2.input_size': 10}, ('input_size', '10')),
        ({'depth_anything_v2.input_size': 518.5}, ('input_size', 'whole number', '518.5')),
        ({'sparse_depth.min_inliers': 1.5}, ('min_inliers', '1.5')),
        ({'min_depth': 60.0, 'max_depth': 50.0}, ('max_depth', 'min_depth', '60', '50')),
        ({'device': 'cuda'}, ('device', 'read-only')),
    ],
)
def test_a_bad_value_refuses_its_whole_batch_and_says_why(meet, bad, words):
    _, robot = meet('/int')
    names = ('points.max_range', *bad)
    before = robot.get_parameters(*names)
    result = robot.set_parameters({'points.max_range': 7.0, **bad})
    assert not result.successful
    assert all(word in result.reason for word in words), result.reason
    assert robot.get_parameters(*names) == before


def test_a_pause_and_a_new_start_by_a_lifecycle_manager(meet):
    node, robot = meet('/int')

    def change(transition):
        assert robot.change_state(transition)
        return robot.state()

    depths = robot.listen('depth/image')
    for _ in range(2):
        assert_depth(robot, depths)
        assert change('DEACTIVATE') == State.PRIMARY_STATE_INACTIVE
        robot.wait_for_readers(0)
        assert change('CLEANUP') == State.PRIMARY_STATE_UNCONFIGURED
        assert change('CONFIGURE') == State.PRIMARY_STATE_INACTIVE
        assert change('ACTIVATE') == State.PRIMARY_STATE_ACTIVE
    assert_depth(robot, depths)
    assert 'Traceback' not in node.output


def test_best_effort_cameras_and_readers_are_served(meet, make_robot):
    meet('/int')
    robot = make_robot('/int', 'best_effort', MonoRobot, image_qos=qos_profile_sensor_data)
    assert_depth(robot, robot.listen('depth/image', qos=qos_profile_sensor_data))


def test_a_checkpoint_that_cannot_be_loaded_is_set_back_and_the_old_one_goes_on(meet):
    node, robot = meet('/kept')
    depths = robot.listen('depth/image')
    before = robot.get_parameters(CHECKPOINT)
    assert robot.set_parameters({CHECKPOINT: 'none.pth'}).successful
    node.wait_for_line('[ERROR]', "no checkpoint 'none.pth'", 'set back')
    assert_depth(robot, depths)
    robot.wait_for(lambda: robot.get_parameters(CHECKPOINT) == before, 3.0, 'set back')
    assert 'frame lost' not in node.output


def test_a_checkpoint_that_is_not_there_is_told_at_start_and_refused_later(start_node, make_robot):
    missing = '/nowhere/depth_anything_v2_vits.pth'
    node = start_node('/missing', {CHECKPOINT: missing, 'device': 'cpu'}, program=MONO_NODE)
    words = missing, 'neither a file nor a known model', 'depth-anything-v2-'
    line = node.wait_for_line('[ERROR]', *words)
    assert 's2m2' not in line
    robot = make_robot('/missing', kind=MonoRobot)
    robot.meet()
    result = robot.set_parameters({CHECKPOINT: '/other.pth'})
    assert not result.successful
    assert f"{CHECKPOINT}: '/other.pth' is neither a file nor a known model" in result.reason
    assert node.lines('[ERROR]') == [line] and not node.lines('Traceback')
    node.signal(signal.SIGINT)
    assert node.wait_for_exit(timeout=3.0) == 0


@pytest.mark.parametrize('name', ['int', 'term'])
def test_a_signal_ends_a_working_node_quickly_and_quietly(meet, name):
    node, robot = meet(f'/{name}')
    robot.stream(30.0)
    depths = robot.listen('depth/image')
    robot.wait_for(lambda: len(depths) > 10, what='depth')
    node.end({'int': signal.SIGINT, 'term': signal.SIGTERM}[name], meanwhile=robot.spin_once)
