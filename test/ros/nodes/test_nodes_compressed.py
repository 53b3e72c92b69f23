# SPDX-License-Identifier: Apache-2.0
"""Both nodes with image_transport: compressed, and what one is told of that has the other one."""

from array import array

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from harness import SCENE
from mono_robot import DEPTH_M as MONO_DEPTH_M
from mono_robot import GREY, KNOWN_NODE, METRIC
from scene import DEPTH_M, FRAME_ID, encode, median_error, pixels_of, stamped
from sensor_msgs.msg import CompressedImage, Image

pytestmark = pytest.mark.ros

COMPRESSED = {'image_transport': 'compressed'}
MOVED = [part for side in ('left', 'right') for part in ('-r', f'{side}/image_rect:={side}/raw')]
FORMATS = {
    'mono8': ('.png', 'mono8; png compressed '),
    'mono16': ('.png', 'mono16; png compressed '),
    'rgb8': ('.png', 'rgb8; png compressed bgr8'),
}
CUT_SHORT = cv2.imencode('.bmp', SCENE['left'])[1][:2000].tobytes()


@pytest.fixture(scope='module')
def nodes(start_node):
    """Nodes that start together."""
    return {
        '': start_node(),
        '/packed': start_node('/packed', COMPRESSED, MOVED),
        '/mono': start_node('/mono', {**METRIC, **COMPRESSED}, program=KNOWN_NODE),
    }


def publish(robot, topic, grey, stamp_ns, encoding='mono8', ending='.png', format_=''):
    """Publish a grey image on topic/compressed, and return its stamp in nanoseconds."""
    message = stamped(CompressedImage, stamp_ns, FRAME_ID)
    message.format = format_
    message.data = array('B', cv2.imencode(ending, encode(grey, encoding))[1].tobytes())
    robot.publisher(f'{topic}/compressed', CompressedImage).publish(message)
    return stamp_ns


def send_pair(robot, *how):
    robot.send_infos()
    stamp_ns = robot.now_ns()
    for side, grey in SCENE.items():
        publish(robot, f'{side}/raw', grey, stamp_ns, *how)
    return stamp_ns


@pytest.mark.parametrize('encoding', FORMATS)
def test_png_gives_bit_for_bit_the_depth_of_raw_images(meet, encoding):
    _, raw = meet()
    _, packed = meet('/packed')
    how = {'encoding': encoding}
    reference = raw.ask(raw.listen('depth/image'), lambda: raw.send_pair(how, how))
    depths = packed.listen('depth/image')
    depth = packed.ask(depths, lambda: send_pair(packed, encoding, *FORMATS[encoding]))
    assert depth.header.frame_id == FRAME_ID
    assert np.array_equal(pixels_of(depth), pixels_of(reference), equal_nan=True)


def test_jpeg_gives_depth(meet):
    _, robot = meet('/packed')
    how = 'rgb8', '.jpg', 'bgr8; jpeg compressed bgr8'
    depth = robot.ask(robot.listen('depth/image'), lambda: send_pair(robot, *how))
    assert median_error(pixels_of(depth), DEPTH_M) < 0.01


def test_broken_data_is_counted_and_told_and_the_next_pair_answered(meet):
    node, robot = meet('/packed')
    depths = robot.listen('depth/image')

    def send_bad():
        robot.send_infos()
        stamp_ns = publish(robot, 'left/raw', SCENE['left'], robot.now_ns())
        broken = stamped(CompressedImage, stamp_ns, FRAME_ID)
        broken.format, broken.data = 'bmp', array('B', CUT_SHORT)
        robot.publisher('right/raw/compressed', CompressedImage).publish(broken)

    status = robot.status('output', lambda _, values: values['failed'] >= 2, every=send_bad)
    assert status.level == DiagnosticStatus.ERROR
    assert "right: compressed image of format 'bmp'" in status.message
    node.wait_for_line('[ERROR]', 'frame lost', 'right', "'bmp'")
    assert not node.lines('imdecode')  # OpenCV's words would come with each of them
    robot.ask(depths, lambda: send_pair(robot))


def test_the_mono_node_takes_compressed_images(meet):
    _, robot = meet('/mono')

    def send():
        robot.send_info()
        return publish(robot, 'image_rect', GREY, robot.now_ns())

    depth = robot.ask(robot.listen('depth/image'), send)
    assert median_error(pixels_of(depth) / MONO_DEPTH_M, 1.0) < 0.01


def test_who_listens_to_raw_images_is_told_of_compressed_ones_and_the_other_way_round(meet):
    node, robot = meet('/packed')
    robot.listen('depth/image')
    kept = [robot.node.create_publisher(Image, f'{side}/raw', 10) for side in SCENE]
    for side in SCENE:
        robot.withdraw(f'{side}/raw/compressed')
    expected = '/packed/left/raw/compressed (sensor_msgs/msg/CompressedImage)'
    line = node.wait_for_line('WARN', f'nobody publishes {expected}')
    assert '/packed/left/raw carries these images: set image_transport to raw' in line
    assert len(kept) == 2
