# SPDX-License-Identifier: Apache-2.0
"""In every state a request gets an answer, and none of them keeps the node from ending."""

import signal

import pytest
import slow_stereo_node
from scene import image_message, textured_pair
from service_calls import stereo_request
from slow_stereo_node import SLOW_SIZE

from vizion3d_interfaces.srv import RunStereoDepth, SaveSnapshot

pytestmark = pytest.mark.ros

SLOW_NODE = (slow_stereo_node.__file__,)


@pytest.fixture(scope='module')
def nodes(start_node, tmp_path_factory):
    """Nodes that start together."""
    folder = tmp_path_factory.mktemp('snapshots')
    shot = {'requests.snapshot_dirs': f'[{folder}]'}
    return {
        '/states': start_node('/states', {'autostart': 'false', **shot}),
        '/cleanup': start_node('/cleanup', program=SLOW_NODE),
        '/slow': start_node('/slow', shot, program=SLOW_NODE),
    }


def request(size=(96, 64)):
    return stereo_request(*(image_message(grey, 1) for grey in textured_pair(*size)))


def ask(robot, size=(96, 64)):
    return robot.call(RunStereoDepth, 'run_stereo_depth', request(size))


def snapshot(robot):
    return robot.call(SaveSnapshot, 'save_snapshot', SaveSnapshot.Request())


def wait_for_a_frame(robot):
    """Ask for a snapshot, and give its future once the node listens for a frame."""
    future = robot.request(SaveSnapshot, 'save_snapshot', SaveSnapshot.Request())
    robot.wait_for(lambda: any(robot.input_readers()), what='inputs open')
    return future


def send_slow(robot, count):
    """Send requests that take long, and give their futures once the node works on the first."""
    slow = request(SLOW_SIZE)
    futures = [robot.request(RunStereoDepth, 'run_stereo_depth', slow) for _ in range(count)]
    robot.status('requests', lambda _, counts: counts['waiting'] == count)
    return futures


def test_each_state_answers_what_it_can_and_says_how_to_get_the_rest(meet):
    _, robot = meet('/states')
    for _ in range(2):
        for response in (ask(robot), snapshot(robot)):
            assert not response.success
            assert 'not configured' in response.message and '`configure`' in response.message
        assert robot.change_state('CONFIGURE')
        assert ask(robot).success
        assert '`activate`' in snapshot(robot).message
        assert robot.change_state('ACTIVATE')
        assert ask(robot).success
        assert robot.change_state('DEACTIVATE')
        assert ask(robot).success
        assert robot.change_state('CLEANUP')


def test_cleanup_answers_what_waits_and_later_what_is_being_worked_on(meet):
    node, robot = meet('/cleanup')
    first, *others = send_slow(robot, 4)
    assert robot.change_state('DEACTIVATE')
    assert robot.change_state('CLEANUP')
    robot.wait_for(lambda: all(future.done() for future in others), 3.0, 'answers to the others')
    assert not first.done(), 'the matcher was too fast for this test'
    for future in others:
        assert not future.result().success
        assert 'shutting down' in future.result().message
    assert robot.change_state('CONFIGURE')
    robot.wait_for(first.done, what='the answer to the first')
    assert first.result().success
    assert ask(robot).success
    assert not node.lines('[ERROR]') and not node.lines('Traceback'), node.output


def test_a_snapshot_that_waits_is_answered_when_no_frame_will_come(meet):
    node, robot = meet('/states')
    assert robot.change_state('CONFIGURE')
    for stop, told in [('DEACTIVATE', 'deactivated'), ('ACTIVE_SHUTDOWN', 'stopped')]:
        assert robot.change_state('ACTIVATE')
        future = wait_for_a_frame(robot)
        assert robot.change_state(stop)
        robot.wait_for(future.done, 2.0, 'the answer')
        assert f'the node was {told}' in future.result().message
        robot.wait_for_readers(0, 2.0)
    assert 'not configured' in ask(robot).message
    node.end(signal.SIGTERM)


def test_ctrl_c_ends_the_node_while_requests_wait(meet):
    node, robot = meet('/slow')
    send_slow(robot, 5)
    wait_for_a_frame(robot)
    node.end(signal.SIGINT)
