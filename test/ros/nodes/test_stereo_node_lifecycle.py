# SPDX-License-Identifier: Apache-2.0
"""The lifecycle, driven as a lifecycle manager does."""

import signal

import pytest
from lifecycle_msgs.msg import State
from scene import DEPTH_M, median_error, pixels_of, to_ns

pytestmark = pytest.mark.ros

WAITING = {'autostart': 'false'}


@pytest.fixture(scope='module')
def nodes(start_node):
    """Nodes that start together."""
    return {
        '/life': start_node('/life', WAITING),
        '/short': start_node('/short'),
        '/pause': start_node('/pause'),
        '/no_gpu': start_node('/no_gpu', {**WAITING, 'device': 'cuda:7'}),
    }


def advertised(robot, topic='depth/image'):
    name = f'{robot.node.get_namespace()}/{topic}'
    writers = robot.node.get_publishers_info_by_topic(name)
    return [writer for writer in writers if writer.node_name == 'stereo_node']


def assert_depth(robot, depths):
    depths.clear()
    assert median_error(pixels_of(robot.ask(depths)), DEPTH_M) < 0.01


def test_a_whole_life(meet):
    node, robot = meet('/life')
    assert robot.state() == State.PRIMARY_STATE_UNCONFIGURED
    assert not advertised(robot)
    depths = robot.listen('depth/image')

    for _ in range(2):
        assert robot.change_state('CONFIGURE')
        assert robot.state() == State.PRIMARY_STATE_INACTIVE
        robot.wait_for(lambda: advertised(robot), what='outputs')
        assert not any(robot.input_readers())

        for _ in range(2):
            assert robot.change_state('ACTIVATE')
            assert robot.state() == State.PRIMARY_STATE_ACTIVE
            assert_depth(robot, depths)

            assert robot.change_state('DEACTIVATE')
            assert robot.state() == State.PRIMARY_STATE_INACTIVE
            robot.wait_for_readers(0)

        assert robot.change_state('CLEANUP')
        assert robot.state() == State.PRIMARY_STATE_UNCONFIGURED
        robot.wait_for(lambda: not advertised(robot), what='outputs withdrawn')

    assert robot.change_state('UNCONFIGURED_SHUTDOWN')
    assert robot.state() == State.PRIMARY_STATE_FINALIZED
    node.end(signal.SIGTERM)


def test_shutdown_of_an_active_node_closes_its_inputs(meet):
    node, robot = meet('/short')
    depths = robot.listen('depth/image')
    robot.stream(30.0)
    robot.wait_for(lambda: depths, what='depth')

    assert robot.change_state('ACTIVE_SHUTDOWN')
    assert robot.state() == State.PRIMARY_STATE_FINALIZED
    robot.wait_for_readers(0)
    node.end(signal.SIGINT)


def test_an_impossible_transition_is_refused_and_the_node_goes_on(meet):
    node, robot = meet('/no_gpu')
    assert not robot.change_state('ACTIVATE')
    assert robot.state() == State.PRIMARY_STATE_UNCONFIGURED
    node.wait_for_line(
        '[WARN]', 'refused: the node is unconfigured; possible now: configure or shutdown'
    )
    assert 'Traceback' not in node.output


def test_a_failed_configuration_can_be_tried_again(meet):
    node, robot = meet('/no_gpu')
    for _ in range(2):
        assert not robot.change_state('CONFIGURE')
        assert robot.state() == State.PRIMARY_STATE_UNCONFIGURED
    assert node.lines('[ERROR]', 'cuda:7')
    assert 'Traceback' not in node.output


def test_nothing_from_before_a_pause_comes_out_after_it(meet):
    _, robot = meet('/pause')
    depths = robot.listen('depth/image')
    old = []
    robot.status(
        'sync',
        lambda _, values: values['left paired'] > 0,
        every=lambda: old.append(robot.send_images()),  # waits for camera_info
    )
    assert robot.change_state('DEACTIVATE')
    assert robot.change_state('ACTIVATE')
    robot.status(
        'calibration', lambda status, _: status.message == 'calibrated', every=robot.send_infos
    )
    robot.ask(depths)

    assert to_ns(depths[0].header.stamp) not in old
