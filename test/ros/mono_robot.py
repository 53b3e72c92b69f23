# SPDX-License-Identifier: Apache-2.0
"""A camera whose picture tells its depth, a lidar beside it, and what both should give."""

from pathlib import Path

import known_depth_node
import numpy as np
from known_depth_node import METRIC_CHECKPOINT, RELATIVE_CHECKPOINT, inverse_depth
from robots import Robot
from scene import (
    FOCAL_PX,
    FRAME_ID,
    HEIGHT,
    WIDTH,
    image_message,
    info_message,
    pixels_message,
    to_ns,
    to_stamp,
)
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from sensor_msgs_py import point_cloud2
from std_msgs.msg import Header

KNOWN_NODE = (str(Path(known_depth_node.__file__)),)
MONO_NODE = ('-m', 'vizion3d_ros.ros.nodes.mono_node')
RELATIVE = {'depth_anything_v2.model_backend': RELATIVE_CHECKPOINT, 'device': 'cpu'}
METRIC = {**RELATIVE, 'depth_anything_v2.model_backend': METRIC_CHECKPOINT}
CAMERA = {'image_rect': Image, 'camera_info': CameraInfo}
SPARSE = {'points': ('sparse_depth/points', PointCloud2), 'image': ('sparse_depth/image', Image)}
MONO_OUTPUTS = {
    'depth/image': Image,
    'depth/camera_info': CameraInfo,
    'depth/image_color': Image,
    'points2': PointCloud2,
    'relative_depth/image': Image,
    'relative_depth/image_color': Image,
}
METRIC_OUTPUTS = {name: kind for name, kind in MONO_OUTPUTS.items() if 'relative' not in name}
LIDAR_FRAME = 'lidar'
# Axes of the lidar, x forward, y left, z up, in the optical frame: its columns are those axes.
LIDAR_TURN = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
LIDAR_PLACE = np.array([0.1, -0.2, -0.3])
LIDAR_POSE = [*LIDAR_PLACE.tolist(), 0.5, -0.5, 0.5, 0.5]


def picture(width=WIDTH, height=HEIGHT):
    """Grey, uint8 (H, W): hills of every depth there is, so smooth that half a pixel is little."""
    rows, columns = np.mgrid[:height, :width]
    hills = np.sin(rows * (3 * np.pi / height)) * np.cos(columns * (4 * np.pi / width))
    return np.round(127.5 + 127.5 * hills).astype(np.uint8)


GREY = picture()
DEPTH_M = 1 / inverse_depth(GREY)


def measured(count=400, seed=0):
    """Points of the scene at random pixels, float64 (N, 3) metres in the optical frame."""
    random = np.random.default_rng(seed)
    rows, columns = random.integers(0, HEIGHT, count), random.integers(0, WIDTH, count)
    rays = [(columns - (WIDTH - 1) / 2) / FOCAL_PX, (rows - (HEIGHT - 1) / 2) / FOCAL_PX]
    return np.stack([*rays, np.ones(count)], axis=1) * DEPTH_M[rows, columns, None]


def seen_by_lidar(points):
    """Move points from the optical frame to that of the lidar."""
    return (points - LIDAR_PLACE) @ LIDAR_TURN


def cloud_message(points, stamp_ns, frame_id=LIDAR_FRAME):
    header = Header(stamp=to_stamp(stamp_ns), frame_id=frame_id)
    return point_cloud2.create_cloud_xyz32(header, np.asarray(points, np.float32))


def depth_image_message(depth_m, stamp_ns, encoding='32FC1'):
    """depth_m: (H, W) metres, NaN = nothing; a 16UC1 message has millimetres."""
    pixels = depth_m.astype(np.float32)
    if encoding == '16UC1':
        pixels = np.nan_to_num(depth_m * 1000).round().astype(np.uint16)
    return pixels_message(pixels, encoding, stamp_ns, FRAME_ID)


def depth_error(depth_m, truth_m=DEPTH_M):
    """Largest relative error of a depth image of which every pixel must be there."""
    assert np.isfinite(depth_m).all(), f'{np.isnan(depth_m).mean():.0%} of the pixels are missing'
    return float(np.max(np.abs(depth_m / truth_m - 1)))


class MonoRobot(Robot):
    """A camera, and a lidar or depth camera that is there from its first message on."""

    NODE = 'mono_node'
    INPUTS = CAMERA
    SEND_PERIOD = 0.05

    def send(self):
        """Publish the calibration and one image, and return its stamp in nanoseconds."""
        self.send_info()
        return self.send_image()

    def send_info(self, info=None):
        self.publisher('camera_info').publish(info or info_message())

    def send_image(self, **options):
        """Publish one image, and return its stamp in nanoseconds; options as image_message's."""
        message = image_message(**{'grey': GREY, 'stamp_ns': self.now_ns(), **options})
        self.publisher('image_rect').publish(message)
        return to_ns(message.header.stamp)

    def send_points(self, points=None, **options):
        """Publish a scan, by default a perfect one, and return its stamp; in the lidar's frame."""
        points = seen_by_lidar(measured()) if points is None else points
        message = cloud_message(points, **{'stamp_ns': self.now_ns(), **options})
        self.publisher(*SPARSE['points']).publish(message)

    def send_depth_image(self, depth_m, **options):
        """Publish sparse depth as an image; options as depth_image_message's."""
        message = depth_image_message(depth_m, **{'stamp_ns': self.now_ns(), **options})
        self.publisher(*SPARSE['image']).publish(message)

    def send_scan_and_image(self, points=None, **options):
        """Publish a scan, the calibration and one image, and return the image's stamp."""
        self.send_points(points, **options)
        return self.send()
