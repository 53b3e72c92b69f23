# SPDX-License-Identifier: Apache-2.0
"""Measurements read back from messages: the opposite of messages_out.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sensor_msgs_py import point_cloud2

from vizion3d_ros.contracts.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sensor_msgs.msg import Image, PointCloud2
    from stereo_msgs.msg import DisparityImage

    FloatMap = NDArray[np.float32]

FLOAT32, FLOAT64 = 7, 8  # sensor_msgs/PointField


def float_map(message: Image) -> FloatMap:
    """
    Read a 32FC1 image as float32 (H, W), a view; treat it as read-only.

    16UC1 depth in millimetres becomes metres, 0 becomes NaN (REP-118). Raises InputError for
    other encodings and for a message shorter than its fields say.
    """
    kinds = {'32FC1': 'f4', '16UC1': 'u2'}
    if message.encoding not in kinds:
        raise InputError(f'expected a 32FC1 or 16UC1 image, got {message.encoding!r}')
    order = '>' if message.is_bigendian else '<'
    dtype = np.dtype(order + kinds[message.encoding])
    if message.step < message.width * dtype.itemsize:
        raise InputError(f'image step is {message.step} bytes for {message.width} pixels')
    rows = _bytes(message.data, message.height, message.step)
    values = np.ndarray(
        (message.height, message.width), dtype, rows, strides=(message.step, dtype.itemsize)
    )
    if message.encoding == '16UC1':
        return np.where(values > 0, values * np.float32(0.001), np.float32(np.nan))
    return values


def disparity_map(message: DisparityImage) -> FloatMap:
    """Read disparities as float32 (H, W) pixels; what is below min_disparity becomes NaN."""
    values = float_map(message.image)
    return np.where(values >= message.min_disparity, values, np.float32(np.nan))


def points_of(message: PointCloud2) -> FloatMap:
    """
    Read x, y, z as float32 (N, 3) in the message's frame and unit; points with NaN are left out.

    Raises InputError without these fields, each float32 or all float64, and for a message shorter
    than its fields say.
    """
    kinds = {f.name: f.datatype for f in message.fields if f.name in ('x', 'y', 'z')}
    if set(kinds.values()) not in ({FLOAT32}, {FLOAT64}) or len(kinds) < 3:
        raise InputError(
            f'the cloud has the fields {[f.name for f in message.fields]}, expected x, y and z as '
            'float32 or float64'
        )
    _bytes(message.data, message.width * message.height, message.point_step)
    points = point_cloud2.read_points_numpy(message, field_names=['x', 'y', 'z'], skip_nans=True)
    return np.ascontiguousarray(points, np.float32)


def cloud_points(message: PointCloud2) -> tuple[FloatMap, NDArray[np.uint8]]:
    """
    Read points, float32 (N, 3) in the message's frame and unit, and colours, uint8 (N, 3) RGB.

    Raises InputError without float32 fields x, y, z and rgb (bits 0x00RRGGBB, as PCL has it).
    """
    offsets = {field.name: field.offset for field in message.fields if field.datatype == FLOAT32}
    missing = {'x', 'y', 'z', 'rgb'} - offsets.keys()
    if missing:
        raise InputError(f'the cloud has no float32 field {", ".join(sorted(missing))}')
    rows = _bytes(message.data, message.height, message.row_step)
    order = '>' if message.is_bigendian else '<'

    def column(name: str, kind: str) -> NDArray[Any]:
        shape, strides = (message.height, message.width), (message.row_step, message.point_step)
        return np.ndarray(shape, order + kind, rows, offsets[name], strides).ravel()

    bits = column('rgb', 'u4')
    xyz = np.stack([column(axis, 'f4') for axis in 'xyz'], axis=1)
    rgb = np.stack([bits >> shift & 255 for shift in (16, 8, 0)], axis=1)
    return xyz, rgb.astype(np.uint8)


def _bytes(data: Any, rows: int, step: int) -> NDArray[np.uint8]:
    flat = np.frombuffer(data, np.uint8)
    if flat.size < rows * step:
        raise InputError(f'the message has {flat.size} bytes, {rows} rows of {step} were expected')
    return flat
