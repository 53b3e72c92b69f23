# SPDX-License-Identifier: Apache-2.0
"""`~/reset` and `~/set_enabled`, and a lifecycle manager at a node that started by itself."""

import pytest
from harness import values_of
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import ChangeState
from mono_robot import KNOWN_NODE, METRIC
from std_srvs.srv import SetBool, Trigger

pytestmark = pytest.mark.ros

both = pytest.mark.parametrize('name', ['/stereo', '/mono'])


@pytest.fixture(scope='module')
def nodes(start_node):
    """Nodes that start together."""
    return {
        '/stereo': start_node('/stereo'),
        '/mono': start_node('/mono', METRIC, program=KNOWN_NODE),
    }


def enable(robot, wanted):
    return robot.call(SetBool, 'set_enabled', SetBool.Request(data=wanted))


def change_by_id(robot, number):
    request = ChangeState.Request()
    request.transition.id = number
    return robot.call(ChangeState, 'change_state', request).success


@both
def test_a_paused_node_takes_no_images_until_it_is_resumed(meet, name):
    _, robot = meet(name)
    depths = robot.listen('depth/image')
    robot.ask(depths)
    task = 'sync' if name == '/stereo' else 'input'
    for _ in range(2):
        assert enable(robot, False).message == 'paused by ~/set_enabled'
        robot.wait_for_readers(0)
        robot.status(task, lambda status, _: status.message == 'idle: paused by ~/set_enabled')
        assert robot.state() == State.PRIMARY_STATE_ACTIVE
        assert enable(robot, True).success
        depths.clear()
        robot.ask(depths)


@both
def test_a_node_that_is_not_active_cannot_be_resumed(meet, name):
    _, robot = meet(name)
    assert enable(robot, False).success
    assert robot.change_state('DEACTIVATE')
    answer = enable(robot, True)
    assert not answer.success and '`activate`' in answer.message
    assert robot.change_state('ACTIVATE')
    robot.ask(robot.listen('depth/image'))


@both
def test_a_reset_counts_anew_and_the_calibration_stays(meet, name):
    _, robot = meet(name)
    depths = robot.listen('depth/image')
    robot.ask(depths)
    robot.status('output', lambda _, values: values['processed'] > 0)
    assert robot.call(Trigger, 'reset', Trigger.Request()).success
    counters = values_of(robot.status('output', lambda _, values: values['processed'] == 0))
    assert counters['published depth/image'] == counters['skipped'] == 0
    depths.clear()
    robot.ask(depths, robot.send_images if name == '/stereo' else robot.send_image)


def test_a_reset_drops_an_image_that_waits_for_its_partner(meet):
    _, robot = meet('/stereo')
    depths = robot.listen('depth/image')
    robot.ask(depths)
    stamp_ns = robot.now_ns()
    received = values_of(robot.status('sync'))['left received']
    robot.send_image('left', stamp_ns=stamp_ns)
    robot.status('sync', lambda _, values: values['left received'] > received)
    assert robot.call(Trigger, 'reset', Trigger.Request()).success
    depths.clear()
    robot.send_image('right', stamp_ns=stamp_ns)
    values = values_of(robot.status('sync', lambda _, values: values['right received'] > 0))
    assert values['left paired'] == 0 and not depths


@both
def test_a_lifecycle_manager_at_a_node_that_started_by_itself_is_told_of_autostart(meet, name):
    node, robot = meet(name)
    for transition, state in (('CONFIGURE', 'configured'), ('ACTIVATE', 'active')):
        assert not robot.change_state(transition)
        node.wait_for_line('[WARN]', f'already {state}', 'set autostart: false')
    assert robot.state() == State.PRIMARY_STATE_ACTIVE
    robot.ask(robot.listen('depth/image'))


@both
def test_transitions_that_do_not_exist_are_refused(meet, name):
    node, robot = meet(name)
    for number in (0, 2, 5, 8, 9, 10, 60, 62, 99, 255):
        assert not change_by_id(robot, number), number
    node.wait_for_line('[WARN]', 'transition 99 refused')
    assert robot.state() == State.PRIMARY_STATE_ACTIVE
    robot.ask(robot.listen('depth/image'))
    assert 'Traceback' not in node.output
