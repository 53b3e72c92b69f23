# SPDX-License-Identifier: Apache-2.0
"""Inputs that come once, in another type, under another name, or mostly without their partner."""

import time

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from harness import SCENE
from rclpy.qos import DurabilityPolicy, QoSProfile
from scene import (
    DEPTH_M,
    TX,
    image_message,
    info_message,
    median_error,
    pixels_message,
    pixels_of,
)
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

pytestmark = pytest.mark.ros

WARN = DiagnosticStatus.WARN
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
PATIENT = {'sync.timeout': 3.0}  # longer than until the next pair of those that get lost
MOVED = {
    '/latched': ['left/camera_info', 'right/camera_info'],
    '/typed': ['left/image_rect'],
    '/misnamed': ['left/image_rect'],
    '/imaged': ['left/image_rect', 'right/image_rect'],
    '/jittery': [],
    '/slides': [f'{side}/{name}' for side in SCENE for name in ('camera_info', 'image_rect')],
}


@pytest.fixture(scope='module')
def nodes(start_node):
    """Nodes of which some inputs are remapped to where their robot has no publisher."""
    remaps = {
        name: [part for topic in topics for part in ('-r', f'{topic}:=rig/{topic}')]
        for name, topics in MOVED.items()
    }
    return {name: start_node(name, PATIENT, remap) for name, remap in remaps.items()}


def publish_once(robot, topic, message):
    publisher = robot.node.create_publisher(type(message), topic, LATCHED)
    publisher.publish(message)
    return publisher


def test_a_calibration_sent_once_before_anybody_listens_is_used(meet):
    node, robot = meet('/latched')
    kept = [
        publish_once(robot, 'rig/left/camera_info', info_message()),
        publish_once(robot, 'rig/right/camera_info', info_message(TX)),
    ]
    assert len(kept) == 2  # a writer takes its history with it
    depth = robot.ask(robot.listen('depth/image'), robot.send_images)
    assert median_error(pixels_of(depth), DEPTH_M) < 0.01
    assert not node.lines('[WARN]')


def test_images_that_are_kept_are_used_by_who_comes_later(meet):
    _, robot = meet('/slides')
    stamp_ns = robot.now_ns()
    kept = [
        publish_once(robot, f'rig/{side}/camera_info', info_message(TX if side == 'right' else 0))
        for side in SCENE
    ]
    kept += [
        publish_once(robot, f'rig/{side}/image_rect', image_message(pixels, stamp_ns))
        for side, pixels in SCENE.items()
    ]
    assert len(kept) == 4
    depths = robot.listen('depth/image')
    (depth,) = robot.wait_for(lambda: depths[:1], 10.0, 'depth of kept images')
    assert median_error(pixels_of(depth), DEPTH_M) < 0.01


def test_a_calibration_is_found_beside_an_image_that_alone_was_remapped(meet):
    node, robot = meet('/imaged')
    for side in SCENE:
        robot.withdraw(f'{side}/camera_info')

    infos = [robot.publisher(f'rig/{side}/camera_info', CameraInfo) for side in SCENE]

    def send_images():
        stamp_ns = robot.now_ns()
        for side, pixels in SCENE.items():
            robot.publisher(f'rig/{side}/image_rect').publish(image_message(pixels, stamp_ns))
        return stamp_ns

    def send():
        for info, tx in zip(infos, (0.0, TX)):
            info.publish(info_message(tx))
        return send_images()

    heard = robot.listen('depth/image')
    taken = 'right/camera_info is taken from /imaged/rig/right/camera_info'
    robot.wait_for(lambda: node.lines(taken), 20.0, taken, every=send_images)
    until = time.monotonic() + 1.2  # a report comes every second
    robot.wait_for(lambda: time.monotonic() > until, every=send_images)
    assert median_error(pixels_of(robot.ask(heard, send)), DEPTH_M) < 0.01
    assert not node.lines('nothing arrived on')  # what was subscribed to just now may be late


def test_a_topic_of_another_type_is_named_with_both_types(meet):
    node, robot = meet('/typed')
    compressed = robot.node.create_publisher(CompressedImage, 'rig/left/image_rect', 10)
    robot.listen('depth/image')
    line = node.wait_for_line(
        'ERROR', 'rig/left/image_rect', 'CompressedImage', 'expected sensor_msgs/msg/Image'
    )
    assert 'image_transport' in line
    robot.node.destroy_publisher(compressed)


def test_a_topic_that_is_called_something_else_is_suggested(meet):
    node, robot = meet('/misnamed')
    robot.node.create_publisher(Image, 'rig/left/image_rect_color', 10)
    robot.listen('depth/image')
    line = node.wait_for_line('WARN', 'nobody publishes', '/misnamed/rig/left/image_rect')
    assert '/misnamed/rig/left/image_rect_color' in line


def test_pairs_that_get_lost_are_told_with_their_share_and_cause(meet):
    node, robot = meet('/jittery')
    robot.listen('depth/image')
    sent = []

    def send():
        sent.append(None)
        off_ns = 0 if len(sent) % 10 == 0 else 40_000_000
        robot.send_pair(right={'stamp_ns': robot.now_ns() + off_ns})

    def warned(status, _):
        return status.level == WARN and 'pair up' in status.message

    status = robot.status('sync', warned, 15.0, every=send)
    assert 'right stamps are' in status.message and 'sync.slop' in status.message
    node.wait_for_line('WARN', '% of left images at', 'sync.slop')


def test_a_camera_of_12_bits_is_matched_once_the_node_is_told(meet):
    node, robot = meet('/jittery')
    depths = robot.listen('depth/image')

    def send():
        robot.send_infos()
        stamp_ns = robot.now_ns()
        for side, grey in SCENE.items():
            words = pixels_message(grey.astype('<u2') << 4, 'mono16', stamp_ns, 'left')
            robot.publisher(f'{side}/image_rect').publish(words)
        return stamp_ns

    told = robot.status('output', lambda s, _: 'set mono16_bits: 12' in s.message, every=send)
    assert told.level == WARN and 'leaves 16 of 256 grey levels' in told.message
    node.wait_for_line('[WARN]', 'no value of the mono16 images exceeds')
    assert not node.lines('is dark'), 'which would be another cause'
    with robot.parameters(mono16_bits=12):
        assert median_error(pixels_of(robot.ask(depths, send)), DEPTH_M) < 0.01
        robot.status('output', lambda s, _: s.level == DiagnosticStatus.OK, every=send)
