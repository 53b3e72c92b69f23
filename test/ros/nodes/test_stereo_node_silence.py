# SPDX-License-Identifier: Apache-2.0
"""Inputs that say nothing: the log names the topic and the reason, in time and once."""

import signal

import pytest
from scene import DEPTH_M, info_message, median_error, pixels_of, to_ns

pytestmark = pytest.mark.ros

SYNC_TIMEOUT = 0.5
PATIENCE = SYNC_TIMEOUT + 2.0
QUICK = {'sync.timeout': SYNC_TIMEOUT}


REMAPPED = ['-r', 'right/image_rect:=/stereo/right/rectified']
NODES = ('/dies', '/half_dies', '/apart', '/no_info', '/no_right_info', '/two_reasons')


@pytest.fixture(scope='module')
def nodes(start_node):
    """A fresh node for every test, since the log keeps quiet about what it has said."""
    nodes = {name: start_node(name, QUICK) for name in NODES}
    nodes['/no_right'] = start_node('/no_right', QUICK, REMAPPED)
    nodes['/stopped'] = start_node('/stopped')
    nodes['/no_clock'] = start_node('/no_clock', {**QUICK, 'use_sim_time': 'true'})
    return nodes


@pytest.fixture
def start(meet):
    """As meet, by the name alone, for a node that has nothing to say yet."""

    def start(name):
        node, robot = meet(f'/{name}')
        assert not node.lines('[WARN]'), 'nobody listened yet'
        return node, robot

    return start


def wait_for_warning(node, robot, *words, every=None):
    robot.wait_for(
        lambda: node.lines('[WARN]', *words),
        PATIENCE,
        lambda: f'a warning with {words} in\n{node.output}',
        every,
    )
    return node.lines('[WARN]', *words)[0]


def test_a_missing_right_image_is_named_as_remapped_and_once(start):
    node, robot = start('no_right')
    robot.listen('depth/image')

    def send_left():
        robot.send_infos()
        robot.send_image('left')

    line = wait_for_warning(node, robot, '/stereo/right/rectified', every=send_left)

    assert 'nobody publishes' in line

    assert 'left/image_rect' not in line
    for _ in range(2):
        assert '/stereo/right/rectified' in robot.status('sync', every=send_left).message
    assert len(node.lines('[WARN]')) == 1, node.output


def test_a_camera_that_dies_is_missed(start):
    node, robot = start('dies')
    robot.ask(robot.listen('depth/image'))

    line = wait_for_warning(node, robot, 'the last image came', 's ago', '/dies/left/image_rect')
    assert '/dies/right/image_rect' in line
    assert 'reliable' in line
    assert len(node.lines('[WARN]')) == 1, node.output


def test_one_camera_that_dies_is_the_one_named(start):
    node, robot = start('half_dies')
    robot.ask(robot.listen('depth/image'))

    def send_left():
        robot.send_infos()
        robot.send_image('left')

    line = wait_for_warning(node, robot, 'the last image came', every=send_left)
    assert '/half_dies/right/image_rect' in line and 'left/image_rect' not in line


def test_stamps_that_never_meet_are_told_with_their_distance(start):
    node, robot = start('apart')
    robot.listen('depth/image')

    def send():
        robot.send_pair(right={'stamp_ns': robot.now_ns() + 60_000_000})

    line = wait_for_warning(node, robot, 'no stereo pair', 'stamps are +0.0', every=send)
    assert 'sync.slop' in line


def test_missing_camera_infos_are_named_and_a_late_one_still_gives_depth(start):
    node, robot = start('no_info')
    depths = robot.listen('depth/image')
    sent = []
    robot.status(
        'sync',
        lambda _, values: values['left paired'] > 0,
        every=lambda: sent.append(robot.send_images()),
    )
    wait_for_warning(node, robot, '/no_info/left/camera_info and /no_info/right/camera_info')

    robot.wait_for(lambda: depths, what='depth', every=robot.send_infos)  # and no more images
    assert to_ns(depths[0].header.stamp) in sent
    assert median_error(pixels_of(depths[0]), DEPTH_M) < 0.01


def test_one_missing_camera_info_is_the_one_named(start):
    node, robot = start('no_right_info')
    robot.listen('depth/image')

    def send():
        robot.publisher('left/camera_info').publish(info_message())
        robot.send_images()

    robot.status('sync', lambda _, values: values['left paired'] > 0, every=send)
    line = wait_for_warning(node, robot, '/no_right_info/right/camera_info', every=send)
    assert 'left/camera_info' not in line


def test_a_second_reason_is_not_hidden_by_the_first(start):
    node, robot = start('two_reasons')
    robot.listen('depth/image')
    wait_for_warning(node, robot, 'no stereo pair')

    robot.status('sync', lambda _, v: v['left paired'] > 0, every=robot.send_images)
    wait_for_warning(node, robot, 'camera_info', every=robot.send_images)


def test_a_simulation_without_a_clock_is_no_reason_for_silence(start):
    node, robot = start('no_clock')
    robot.listen('depth/image')

    wait_for_warning(node, robot, 'no stereo pair')


def test_a_node_that_was_stopped_itself_misses_nobody(start):
    node, robot = start('stopped')
    depths = robot.listen('depth/image')
    robot.ask(depths)
    node.signal(signal.SIGSTOP)
    robot.spin_for(2.6, every=robot.send)
    node.signal(signal.SIGCONT)
    depths.clear()
    robot.ask(depths)
    robot.spin_for(1.0, every=robot.send)
    assert not node.lines('[WARN]'), node.output
