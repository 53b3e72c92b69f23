# SPDX-License-Identifier: Apache-2.0
"""
Pictures, rigs and points become the messages that drivers of cameras and lidars send.

Stamps are left at zero.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from sensor_msgs_py import point_cloud2
from std_msgs.msg import Header
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.ros.messages import payloads
from vizion3d_ros.testbed.instances import OBJECTS

Encoding = Literal['mono8', 'rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono16', 'bayer_rggb8']
LEFT_FRAME = 'rig_left_optical_frame'
RIGHT_FRAME = 'rig_right_optical_frame'
LIDAR_FRAME = 'rig_lidar_frame'


def encode(picture: NDArray[np.uint8], encoding: str) -> NDArray[Any]:
    """
    Turn RGB (H, W, 3) or grey (H, W) uint8 into the pixels of a ROS encoding.

    mono16 spreads grey over all 16 bits. Raises InputError for an encoding not in `Encoding`.
    """
    if encoding not in get_args(Encoding):
        choices = ', '.join(get_args(Encoding))
        raise InputError(f'encoding must be one of {choices}; got {encoding!r}')
    colour = picture if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    return _ENCODERS[encoding](colour)


def image_message(
    pixels: NDArray[Any], encoding: str, frame_id: str, row_padding: int = 0
) -> Image:
    """Wrap pixels (H, W) or (H, W, C); row_padding: unused bytes after each row."""
    message = payloads.image_message(Header(frame_id=frame_id), pixels, encoding)
    if row_padding:
        rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
        padded = np.pad(rows, ((0, 0), (0, row_padding)), constant_values=0xA5)
        message.data = array('B', padded.tobytes())
        message.step += row_padding
    return message


def camera_infos(rig: StereoRig) -> tuple[CameraInfo, CameraInfo]:
    """Describe a rectified rig, left and right; without a baseline the right P[3] is 0."""
    left = rig.left
    right = left.model_copy(update={'cx': left.cx + rig.doffs})
    return (
        _camera_info(left, 0.0, LEFT_FRAME),
        _camera_info(right, -(rig.focal_baseline or 0.0), RIGHT_FRAME),
    )


def lidar_message(points: NDArray[np.float32]) -> PointCloud2:
    """Wrap points, float32 (N, 3) metres in the lidar's frame, as fields x, y, z."""
    return point_cloud2.create_cloud_xyz32(Header(frame_id=LIDAR_FRAME), points)


def detections_message(instances: NDArray[np.uint8]) -> Detection2DArray:
    """Say which object each number in instances (H, W) of the synthetic scene is, by id."""
    message = Detection2DArray(header=Header(frame_id=LEFT_FRAME))
    for number in np.unique(instances[instances > 0]).tolist():
        found = Detection2D(header=message.header, id=str(number))  # stamped as the whole is
        found.results = [ObjectHypothesisWithPose()]
        found.results[0].hypothesis.class_id = OBJECTS[number - 1]
        found.results[0].hypothesis.score = 1.0
        left, top, width, height = cv2.boundingRect((instances == number).astype(np.uint8))
        found.bbox.center.position.x = left + (width - 1) / 2
        found.bbox.center.position.y = top + (height - 1) / 2
        found.bbox.size_x, found.bbox.size_y = float(width), float(height)
        message.detections.append(found)
    return message


def _camera_info(camera: Intrinsics, tx: float, frame_id: str) -> CameraInfo:
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    info = CameraInfo(
        height=camera.height,
        width=camera.width,
        distortion_model='plumb_bob',
        d=[0.0] * 5,
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, tx, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )
    info.header.frame_id = frame_id
    return info


def _grey(rgb: NDArray[np.uint8]) -> NDArray[Any]:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)


def _mosaic(rgb: NDArray[np.uint8]) -> NDArray[Any]:
    mosaic = rgb[..., 1].copy()
    mosaic[0::2, 0::2] = rgb[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = rgb[1::2, 1::2, 2]
    return mosaic


_ENCODERS: dict[str, Callable[[NDArray[np.uint8]], NDArray[Any]]] = {
    'mono8': _grey,
    'rgb8': lambda rgb: rgb,
    'bgr8': lambda rgb: cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR),
    'rgba8': lambda rgb: cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA),
    'bgra8': lambda rgb: cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA),
    'mono16': lambda rgb: _grey(rgb).astype(np.uint16) * 257,
    'bayer_rggb8': _mosaic,
}
