# SPDX-License-Identifier: Apache-2.0
"""Images no node should have to see: broken, from the past, without a frame, or too many."""

import time
from functools import partial

import pytest
import slow_stereo_node
from diagnostic_msgs.msg import DiagnosticStatus
from harness import SCENE, values_of
from rosgraph_msgs.msg import Clock
from scene import (
    DEPTH_M,
    TX,
    each_fault,
    image_message,
    info_message,
    median_error,
    pixels_of,
    textured_pair,
    to_ns,
    to_stamp,
    truncate,
)
from slow_stereo_node import SLOW_SIZE

pytestmark = pytest.mark.ros

SECOND = 10**9
FAR_FUTURE_NS = (2**31 - 1) * SECOND
SLOW = {'sgbm.sgbm_mode': 'hh', 'sgbm.disparity_range': 512}


@pytest.fixture(scope='module')
def nodes(start_node):
    """Nodes that start together."""
    return {
        '': start_node(),
        '/simulated': start_node('/simulated', {'use_sim_time': 'true'}),
        '/nameless': start_node('/nameless'),
        '/overloaded': start_node('/overloaded', SLOW),
        '/slow': start_node('/slow', program=(slow_stereo_node.__file__,)),
    }


def assert_good_depth(message):
    assert median_error(pixels_of(message), DEPTH_M) < 0.01


def send_bad(robot, spoil):
    """Publish a pair whose right image is spoilt."""
    stamp_ns = robot.now_ns()
    message = image_message(SCENE['right'], stamp_ns)
    spoil(message)
    robot.send_image('left', stamp_ns=stamp_ns)
    robot.publisher('right/image_rect').publish(message)


@each_fault
def test_a_bad_image_is_reported_once_and_the_next_good_one_answered(robot, node, spoil, words):
    depths = robot.listen('depth/image')
    assert_good_depth(robot.ask(depths))
    failed = values_of(robot.status('output'))['failed']

    status = robot.status(
        'output', lambda _, v: v['failed'] >= failed + 3, every=partial(send_bad, robot, spoil)
    )
    assert status.level == DiagnosticStatus.ERROR
    assert all(word in status.message for word in ('right', *words)), status.message
    assert len(node.lines('[ERROR]', 'frame lost', 'right', *words)) == 1, node.output
    assert_good_depth(robot.ask(depths))
    assert 'Traceback' not in node.output


def test_a_lost_frame_is_no_fault_of_a_node_that_nobody_listens_to(robot):
    depths = robot.listen('depth/image')
    robot.status(
        'output',
        lambda status, _: status.level == DiagnosticStatus.ERROR,
        every=partial(send_bad, robot, truncate),
    )
    robot.ignore(depths)
    robot.wait_for_readers(0)
    robot.status('output', lambda status, _: status.level == DiagnosticStatus.OK, timeout=3.0)
    robot.listen('depth/image')
    robot.wait_for_readers(1)
    assert robot.status('output').level == DiagnosticStatus.OK


def test_a_bag_that_starts_again_keeps_flowing(robot, node):
    depths = robot.listen('depth/image')
    for offset in (0, -10, -20, -5, 7200, -7200):
        robot.clock_offset_ns = offset * SECOND
        depths.clear()
        assert_good_depth(robot.ask(depths, timeout=3.0))
    assert len(node.lines('[INFO]', 'time went back by')) >= 2


@pytest.mark.parametrize('side', [('left',), ('right',), ('left', 'right')], ids='-'.join)
@pytest.mark.parametrize('stamp_ns', [0, FAR_FUTURE_NS, -SECOND])
def test_stamps_that_make_no_sense_cost_only_their_own_pair(robot, node, side, stamp_ns):
    depths = robot.listen('depth/image')
    assert_good_depth(robot.ask(depths))
    for _ in range(3):
        robot.send_images(**{name: {'stamp_ns': stamp_ns} for name in side})
        depths.clear()
        assert_good_depth(robot.ask(depths, timeout=3.0))
    assert 'Traceback' not in node.output


def test_stamps_of_zero_are_named(robot):
    robot.listen('depth/image')
    words = '/left/image_rect', 'carry the stamp 0', 'header.stamp'
    robot.status(
        'sync',
        lambda status, _: all(word in status.message for word in words),
        every=lambda: robot.send_pair({'stamp_ns': 0}, {'stamp_ns': 0}),
    )
    assert_good_depth(robot.ask(robot.listen('depth/image')))


@pytest.mark.parametrize('side', [('left',), ('right',), ('left', 'right')], ids='-'.join)
def test_stamps_in_whole_seconds_are_named_in_report_and_log(robot, node, side):
    robot.listen('depth/image')
    words = f'/{side[0]}/image_rect carry stamps in whole seconds', 'header.stamp.nanosec'

    def send():
        whole = {'stamp_ns': robot.now_ns() // SECOND * SECOND}
        robot.send_pair(**dict.fromkeys(side, whole))

    robot.status(
        'sync', lambda status, _: all(word in status.message for word in words), every=send
    )
    node.wait_for_line('[WARN]', *words)
    assert_good_depth(robot.ask(robot.listen('depth/image')))


def test_nothing_from_before_a_jump_comes_out_after_it(meet):
    _, robot = meet('/slow')
    depths = robot.listen('depth/image')
    robot.wait_for_readers(1)

    def send():
        left, right = textured_pair(*SLOW_SIZE)
        robot.send_infos(info_message(0.0, *SLOW_SIZE), info_message(TX, *SLOW_SIZE))
        return robot.send_images({'grey': left}, {'grey': right})

    robot.ask(depths, send)
    old = []
    robot.status(
        'output', lambda _, values: values['skipped'] > 0, every=lambda: old.append(send())
    )
    robot.clock_offset_ns = -100 * SECOND
    depths.clear()
    robot.ask(depths, send)
    assert not {to_ns(message.header.stamp) for message in depths} & set(old)


def test_a_simulator_that_starts_again_keeps_flowing(meet):
    node, robot = meet('/simulated')
    depths = robot.listen('depth/image')
    clock = robot.publisher('/clock', Clock)

    def send():
        clock.publish(Clock(clock=to_stamp(robot.now_ns())))
        return robot.send_pair()

    real_ns = time.time_ns()
    robot.clock_offset_ns = 100 * SECOND - real_ns
    assert_good_depth(robot.ask(depths, send))
    robot.status('sync', every=send)
    robot.clock_offset_ns = 50 * SECOND - real_ns
    assert_good_depth(robot.ask(depths, send, timeout=3.0))
    robot.status('sync', every=send)
    assert node.lines('[INFO]', 'time went back'), node.output


def test_an_empty_frame_id_is_warned_of_once(meet):
    node, robot = meet('/nameless')
    depths = robot.listen('depth/image')
    for _ in range(3):
        depths.clear()
        answer = robot.ask(depths, lambda: robot.send_pair({'frame_id': ''}))
    assert answer.header.frame_id == ''
    (line,) = node.lines('[WARN]')
    assert 'empty frame_id' in line and 'frame_id_override' in line
    robot.status('output', lambda status, _: 'empty frame_id' in status.message)
    robot.ask(depths)
    robot.status('output', lambda status, _: status.message.endswith('frames'))


def test_under_overload_the_newest_frame_wins(meet):
    _, robot = meet('/overloaded')
    depths = robot.listen('depth/image')
    robot.ask(depths)
    ages = robot.listen('depth/image', note=lambda m: robot.now_ns() - to_ns(m.header.stamp))
    robot.stream(60.0)
    robot.wait_for(lambda: len(ages) >= 15, 15.0, 'answers')

    assert max(ages) < 1.0 * SECOND
    values = values_of(robot.status('output', lambda _, v: v['skipped'] > 0))
    assert values['failed'] == 0
