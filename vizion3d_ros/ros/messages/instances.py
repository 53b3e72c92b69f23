# SPDX-License-Identifier: Apache-2.0
"""Masks and classes of a detector become instances, depth images and clouds points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from sensor_msgs.msg import Image, PointCloud2

from vizion3d_ros.contracts.annotation.instances import Instance, Segmentation, from_label_image
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.incoming.images import image_to_array, words_of
from vizion3d_ros.ros.messages.measurements import float_map, points_of
from vizion3d_ros.ros.messages.payloads import lend

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from vision_msgs.msg import Detection2D, Detection2DArray

    from vizion3d_ros.contracts.camera import Intrinsics

LABELS_8, LABELS_16 = ('mono8', '8UC1'), ('mono16', '16UC1')
UNKNOWN = 'unknown'
SAME_SHAPE = 0.02  # relative difference of aspect ratios that rounding of a size may make
NOTHING = np.zeros((0, 0), bool)


def label_image(message: Image, camera: Intrinsics) -> NDArray[np.integer]:
    """
    Read instance numbers, uint8 or uint16 (H, W) of the camera's size; 0 = none.

    A smaller or larger picture of the same view is scaled, to the nearest pixel. Raises InputError
    for another encoding, for another view, and for a message shorter than its fields say.
    """
    if message.encoding not in (*LABELS_8, *LABELS_16):
        raise InputError(
            f'instances are of encoding {message.encoding!r}, expected mono8 or 16UC1 with the '
            'number of an instance in each pixel, 0 = none'
        )
    wide = message.encoding in LABELS_16
    if message.encoding == '8UC1':
        message = _renamed(message, 'mono8')
    elif message.encoding == '16UC1':
        message = _renamed(message, 'mono16')
    if not message.width or not message.height:
        raise InputError('instances are empty: 0x0 pixels, expected a label image')
    labels = words_of(message) if wide else image_to_array(message)
    return _scaled(labels, camera)


def _renamed(message: Image, encoding: str) -> Image:
    """Give the same image under the name that the reader of pictures knows."""
    other = Image(header=message.header, encoding=encoding)
    for name in ('height', 'width', 'step', 'is_bigendian'):
        setattr(other, name, getattr(message, name))
    lend(other, np.frombuffer(message.data, np.uint8))
    return other


def _scaled(labels: NDArray[np.integer], camera: Intrinsics) -> NDArray[np.integer]:
    height, width = labels.shape
    wanted = camera.width, camera.height
    if (width, height) == wanted:
        return labels
    if abs(width * camera.height / (height * camera.width) - 1) > SAME_SHAPE:
        raise InputError(
            f'instances are {width}x{height} but the camera is {wanted[0]}x{wanted[1]}, '
            'of another shape: publish masks of the whole image, without borders of a network'
        )
    native = labels.astype(labels.dtype.newbyteorder('='))
    return cv2.resize(native, wanted, interpolation=cv2.INTER_NEAREST)


def known_instances(message: Detection2DArray | None) -> dict[int, Instance]:
    """
    What a detector says of the instances, by their number in the label image.

    By id where that is a number, else the first detection is number 1, and so on.
    """
    detections = message.detections if message else []
    by_id = any(each.id.isdecimal() for each in detections)
    return {
        (int(each.id) if by_id else place): _instance(each)
        for place, each in enumerate(detections, 1)
        if not by_id or each.id.isdecimal()
    }


def _instance(detection: Detection2D) -> Instance:
    best = max(detection.results, key=lambda each: each.hypothesis.score, default=None)
    if best is None:
        return Instance(NOTHING, label=UNKNOWN)
    name, score = best.hypothesis.class_id, best.hypothesis.score
    number = int(name) if name.isdecimal() and len(name) < 10 else -1
    return Instance(NOTHING, label=name or UNKNOWN, class_id=number, confidence=score)


def objects_of(
    labels: Image, detections: Detection2DArray | None, camera: Intrinsics
) -> Segmentation:
    """Read the objects of a frame; raises InputError as label_image does."""
    known = known_instances(detections)
    numbers = label_image(labels, camera)
    unknown = {n: Instance(NOTHING, label=UNKNOWN) for n in np.unique(numbers).tolist()}
    return from_label_image(numbers, {**unknown, **known})


def finite_points(message: PointCloud2) -> NDArray[np.float32]:
    """Finite points of a cloud, float32 (N, 3) metres, read as points_of does."""
    points = points_of(message)
    return points[np.isfinite(points).all(axis=1)]


def measured_points(message: Image | PointCloud2, camera: Intrinsics) -> NDArray[np.float32]:
    """
    Read the points of a frame, float32 (N, 3) metres, optical frame; without those of NaN.

    Raises InputError for a depth image of another size than the camera, and for what
    float_map and points_of refuse.
    """
    if isinstance(message, PointCloud2):
        return finite_points(message)
    depth_m = float_map(message)
    if depth_m.shape != (camera.height, camera.width):
        raise InputError(
            f'the depth image is {message.width}x{message.height} but depth/camera_info is of '
            f'{camera.width}x{camera.height}: remap both to one camera'
        )
    rows, columns = np.nonzero(np.isfinite(depth_m) & (depth_m > 0))
    z = depth_m[rows, columns].astype(np.float32)
    with np.errstate(over='ignore'):  # of drivers that write the largest float for nothing
        x = (columns - np.float32(camera.cx)).astype(np.float32) * z / np.float32(camera.fx)
        y = (rows - np.float32(camera.cy)).astype(np.float32) * z / np.float32(camera.fy)
    points = np.stack([x, y, z], axis=1)
    return points[np.isfinite(points).all(axis=1)]
