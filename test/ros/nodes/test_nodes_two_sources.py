# SPDX-License-Identifier: Apache-2.0
"""Two of what there may be one of only: cameras on one topic, clocks on /clock."""

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from mono_robot import KNOWN_NODE, METRIC, MonoRobot
from robots import StereoRobot
from rosgraph_msgs.msg import Clock
from scene import to_stamp

pytestmark = pytest.mark.ros

SECOND = 10**9
KINDS = {'/stereo': StereoRobot, '/mono': MonoRobot}


@pytest.fixture(scope='module')
def nodes(start_node):
    """Nodes that start together."""
    return {
        '/stereo': start_node('/stereo'),
        '/mono': start_node('/mono', METRIC, program=KNOWN_NODE),
        '/simulated': start_node('/simulated', {'use_sim_time': 'true'}),
    }


@pytest.mark.parametrize(('name', 'task'), [('/stereo', 'sync'), ('/mono', 'input')])
def test_two_cameras_on_one_topic_are_named_and_forgotten_with_the_second(
    meet, make_robot, name, task
):
    node, robot = meet(name)
    depths = robot.listen('depth/image')
    robot.ask(depths)
    assert robot.status(task, every=robot.send).level == DiagnosticStatus.OK
    second = make_robot(name, 'second_camera', KINDS[name])

    def send_both():
        robot.send()
        second.send()

    words = 'image_rect in turn (robot, second_camera)', 'stop all but one'
    status = robot.status(
        task, lambda s, _: all(word in s.message for word in words), every=send_both
    )
    assert status.level == DiagnosticStatus.ERROR
    assert len(node.lines('[ERROR]', *words)) == 1
    for topic in second.INPUTS:
        second.withdraw(topic)
    robot.status(task, lambda s, _: s.level == DiagnosticStatus.OK, timeout=3.0, every=robot.send)
    depths.clear()
    robot.ask(depths)


def test_two_clocks_are_named_and_do_not_fill_the_log(meet, make_robot):
    node, robot = meet('/simulated')
    second = make_robot('/simulated', 'second_clock')
    clocks = [each.publisher('/clock', Clock) for each in (robot, second)]
    depths = robot.listen('depth/image')

    def send():
        for clock, ahead in zip(clocks * 3, (0, 50 * SECOND) * 3):
            clock.publish(Clock(clock=to_stamp(robot.now_ns() + ahead)))
        robot.send()

    words = 'time on /clock went back', 'one publisher', 'robot, second_clock'
    status = robot.status(
        'clock', lambda s, _: all(word in s.message for word in words), every=send
    )
    assert status.level == DiagnosticStatus.WARN
    assert len(node.lines('[WARN]', *words)) == 1
    assert len(node.lines('[INFO]', 'time went back')) <= 3
    second.withdraw('/clock')
    depths.clear()
    robot.ask(depths)
