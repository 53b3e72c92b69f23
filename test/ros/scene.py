# SPDX-License-Identifier: Apache-2.0
"""A flat textured wall in front of an ideal stereo camera, as images and messages."""

from array import array

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

WIDTH, HEIGHT = 320, 240
FOCAL_PX, BASELINE_M, DISPARITY_PX = 200.0, 0.1, 10
DEPTH_M = FOCAL_PX * BASELINE_M / DISPARITY_PX
TX = -FOCAL_PX * BASELINE_M
FRAME_ID = 'left_camera_optical_frame'
OUTPUTS = {
    'disparity': DisparityImage,
    'disparity/image_color': Image,
    'depth/image': Image,
    'depth/camera_info': CameraInfo,
    'depth/image_color': Image,
    'points2': PointCloud2,
    'confidence/image': Image,
    'visibility/image': Image,
    'depth/uncertainty': Image,
}


def textured_pair(width=WIDTH, height=HEIGHT, disparity_px=DISPARITY_PX):
    """Left and right view, uint8 (height, width): band-limited noise, shifted as a whole."""
    noise = np.random.default_rng(7).standard_normal((height, width + disparity_px))
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    wall = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return wall[:, :width], wall[:, disparity_px:]


def unrelated_pair(width, height):
    """Two views with nothing in common, in which every disparity has to be tried; uint8."""
    left, right = textured_pair(width, height)
    return left, np.ascontiguousarray(right[::-1])


def encode(grey, encoding):
    """The grey image, (H, W) uint8, as an array of the given encoding."""
    if encoding == 'mono16':
        return grey.astype('<u2') * 257
    if encoding == 'rgb8':
        return np.repeat(grey[..., None], 3, axis=2)
    return grey  # mono8, and a Bayer pattern seen through equal filters


def image_message(grey, stamp_ns, encoding='mono8', padding=0, frame_id=FRAME_ID):
    """Image of that encoding; padding: bytes of rubbish behind every row."""
    return pixels_message(encode(grey, encoding), encoding, stamp_ns, frame_id, padding)


def pixels_message(pixels, encoding, stamp_ns=0, frame_id='', padding=0):
    """Image of the pixels as they are, (H, W) or (H, W, 3); padding as image_message's."""
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xA5)
    message = stamped(Image, stamp_ns, frame_id)
    message.height, message.width, message.step = height, width, rows.shape[1]
    message.encoding, message.is_bigendian = encoding, int(pixels.dtype.byteorder == '>')
    message.data = array('B', rows.tobytes())
    return message


def stamped(message_type, stamp_ns, frame_id=''):
    """A message that is empty but for its header."""
    return message_type(header=Header(stamp=to_stamp(stamp_ns), frame_id=frame_id))


def info_message(tx=0.0, width=WIDTH, height=HEIGHT, focal_px=FOCAL_PX):
    """CameraInfo of a rectified camera; tx: P[3], -fx * baseline for the right one."""
    cx, cy = (width - 1) / 2, (height - 1) / 2
    return CameraInfo(
        header=Header(frame_id=FRAME_ID),
        width=width,
        height=height,
        distortion_model='plumb_bob',
        d=[0.0] * 5,
        k=[focal_px, 0.0, cx, 0.0, focal_px, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[focal_px, 0.0, cx, tx, 0.0, focal_px, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )


def truncate(message):
    message.data = array('B', bytes(1000))


def lie_about_step(message):
    message.step = message.width - 1


def invent_an_encoding(message):
    message.encoding = 'smellovision'


def halve(message):
    message.height //= 2
    message.data = message.data[: message.height * message.step]


def empty(message):
    message.width = message.height = message.step = 0
    message.data = array('B')


FAULTS = {
    truncate: ('1000 bytes', 'truncated'),
    lie_about_step: ('step', '319'),
    invent_an_encoding: ("'smellovision'", 'mono8'),
    halve: ('320x120', '320x240'),
    empty: ('empty', '0x0'),
}
# Parameters of a test: how to spoil an image, and the words by which a node then names the fault.
each_fault = pytest.mark.parametrize(
    ('spoil', 'words'), FAULTS.items(), ids=[fault.__name__ for fault in FAULTS]
)


def to_stamp(stamp_ns):
    return Time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)


def to_ns(stamp):
    return stamp.sec * 10**9 + stamp.nanosec


def pixels_of(message):
    """The payload of an Image as an array, (H, W) or (H, W, 3)."""
    dtype, channels = {
        '32FC1': (np.float32, 1),
        '16UC1': (np.uint16, 1),
        'bgr8': (np.uint8, 3),
    }[message.encoding]
    pixels = np.frombuffer(message.data, dtype).reshape(message.height, message.width, channels)
    return pixels[..., 0] if channels == 1 else pixels


def median_error(values, truth):
    """Median relative error of the finite values; fails where half of them are missing."""
    finite = values[np.isfinite(values)]
    assert finite.size > values.size / 2, f'only {finite.size} of {values.size} are finite'
    return float(np.median(np.abs(finite - truth)) / truth)
