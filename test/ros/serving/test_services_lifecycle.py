# SPDX-License-Identifier: Apache-2.0
"""In every state a request gets an answer, and none of them keeps the node from ending."""

import signal

import pytest
import slow_stereo_node
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
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
    client = robot.node.create_client(SaveSnapshot, f'{robot.node_name}/save_snapshot')
    robot.wait_for(client.service_is_ready, what='service')
    future = client.call_async(SaveSnapshot.Request())
    robot.wait_for(lambda: any(robot.input_readers()), what='inputs open')
    return future


def change(robot, name):
    transition = Transition(id=getattr(Transition, f'TRANSITION_{name}'))
    return robot.call(ChangeState, 'change_state', ChangeState.Request(transition=transition))


def send_slow(robot, count):
    """Send requests that take long, and give their futures once the node works on the first."""
    name = f'{robot.node_name}/run_stereo_depth'
    client = robot.node.create_client(RunStereoDepth, name)
    robot.wait_for(client.service_is_ready, what='service')
    futures = [client.call_async(request(SLOW_SIZE)) for _ in range(count)]
    robot.status('requests', lambda _, counts: counts['waiting'] == count)
    return futures


def test_each_state_answers_what_it_can_and_says_how_to_get_the_rest(nodes, make_robot):
    robot = make_robot('/states')
    robot.meet()
    for _ in range(2):
        for response in (ask(robot), snapshot(robot)):
            assert not response.success
            assert 'not configured' in response.message and '`configure`' in response.message
        assert change(robot, 'CONFIGURE').success
        assert ask(robot).success
        assert '`activate`' in snapshot(robot).message
        assert change(robot, 'ACTIVATE').success
        assert ask(robot).success
        assert change(robot, 'DEACTIVATE').success
        assert ask(robot).success
        assert change(robot, 'CLEANUP').success


def test_cleanup_answers_what_waits_and_later_what_is_being_worked_on(nodes, make_robot):
    node, robot = nodes['/cleanup'], make_robot('/cleanup')
    robot.meet()
    first, *others = send_slow(robot, 4)
    assert change(robot, 'DEACTIVATE').success
    assert change(robot, 'CLEANUP').success
    robot.wait_for(lambda: all(future.done() for future in others), 3.0, 'answers to the others')
    assert not first.done(), 'the matcher was too fast for this test'
    for future in others:
        assert not future.result().success
        assert 'shutting down' in future.result().message
    assert change(robot, 'CONFIGURE').success
    robot.wait_for(first.done, what='the answer to the first')
    assert first.result().success
    assert ask(robot).success
    assert not node.lines('[ERROR]') and not node.lines('Traceback'), node.output


def test_a_snapshot_that_waits_is_answered_when_no_frame_will_come(nodes, make_robot):
    robot = make_robot('/states')
    robot.meet()
    assert change(robot, 'CONFIGURE').success
    for stop, told in [('DEACTIVATE', 'deactivated'), ('ACTIVE_SHUTDOWN', 'stopped')]:
        assert change(robot, 'ACTIVATE').success
        future = wait_for_a_frame(robot)
        assert change(robot, stop).success
        robot.wait_for(future.done, 2.0, 'the answer')
        assert f'the node was {told}' in future.result().message
        robot.wait_for(lambda: not any(robot.input_readers()), 2.0, 'inputs closed')
    assert 'not configured' in ask(robot).message
    nodes['/states'].end(signal.SIGTERM)


def test_ctrl_c_ends_the_node_while_requests_wait(nodes, make_robot):
    node, robot = nodes['/slow'], make_robot('/slow')
    robot.meet()
    send_slow(robot, 5)
    wait_for_a_frame(robot)
    node.end(signal.SIGINT)
