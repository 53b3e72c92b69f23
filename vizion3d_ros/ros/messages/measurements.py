# SPDX-License-Identifier: Apache-2.0
"""Measurements read back from messages: the opposite of outgoing.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vizion3d_ros.contracts.errors import InputError

if TYPE_CHECKING:
    from array import array

    from numpy.typing import NDArray
    from sensor_msgs.msg import Image, PointCloud2, PointField
    from stereo_msgs.msg import DisparityImage

    FloatMap = NDArray[np.float32]

FLOATS = {7: 'f4', 8: 'f8'}  # sensor_msgs/PointField


def float_map(message: Image) -> FloatMap:
    """
    Read a 32FC1 image as float32 (H, W), a view; treat it as read-only.

    16UC1 depth in millimetres becomes metres, 0 becomes NaN (REP-118). Raises InputError for
    other encodings, for an empty image and for a message shorter than its fields say.
    """
    kinds = {'32FC1': 'f4', '16UC1': 'u2'}
    if message.encoding not in kinds:
        raise InputError(f'expected a 32FC1 or 16UC1 image, got {message.encoding!r}')
    if message.width == 0 or message.height == 0:
        raise InputError(f'the image is empty: {message.width}x{message.height} pixels')
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

    Raises InputError without these fields, each float32 or float64, and for a message shorter
    than its fields say.
    """
    axes = [_float_column(message, name) for name in 'xyz']
    points = np.stack([axis.astype(np.float32) for axis in axes], axis=1)
    return points[~np.isnan(points).any(axis=1)]


def cloud_points(message: PointCloud2) -> tuple[FloatMap, NDArray[np.uint8]]:
    """
    Read points, float32 (N, 3) in the message's frame and unit, and colours, uint8 (N, 3) RGB.

    Raises InputError without float fields x, y, z and a float32 rgb (bits 0x00RRGGBB, as PCL has
    it), and for a message shorter than its fields say.
    """
    axes = [_float_column(message, name) for name in 'xyz']
    bits = _column(message, _field(message, 'rgb', ('f4',)).offset, 'u4')
    rgb = np.stack([bits >> shift & 255 for shift in (16, 8, 0)], axis=1)
    return np.stack(axes, axis=1).astype(np.float32), rgb.astype(np.uint8)


def _float_column(message: PointCloud2, name: str) -> NDArray[np.floating[Any]]:
    field = _field(message, name, ('f4', 'f8'))
    return _column(message, field.offset, FLOATS[field.datatype])


def _field(message: PointCloud2, name: str, kinds: tuple[str, ...]) -> PointField:
    for field in message.fields:
        if field.name == name and FLOATS.get(field.datatype) in kinds:
            return field
    types = {'f4': 'float32', 'f8': 'float64'}
    raise InputError(
        f'the cloud has no {" or ".join(types[kind] for kind in kinds)} field {name}; its fields '
        f'are {[field.name for field in message.fields]}'
    )


def _column(message: PointCloud2, offset: int, kind: str) -> NDArray[Any]:
    """One value of every point, (N,); kind: its type in NumPy's words."""
    dtype = np.dtype(('>' if message.is_bigendian else '<') + kind)
    shape, step = (message.height, message.width), message.point_step
    if 0 in shape:
        return np.empty(0, dtype)
    # Of one row its length says nothing that width does not, and some drivers leave it out.
    row_step = message.row_step if message.height > 1 else message.width * step
    if offset + dtype.itemsize > step or row_step < message.width * step:
        raise InputError(
            f'the cloud contradicts itself: point_step is {step}, row_step {row_step}, with '
            f'{message.width} points in a row and a field of {dtype.itemsize} bytes at {offset}'
        )
    rows = _bytes(message.data, message.height, row_step)
    return np.ndarray(shape, dtype, rows, offset, (row_step, step)).ravel()


def _bytes(data: array[int], rows: int, step: int) -> NDArray[np.uint8]:
    flat = np.frombuffer(data, np.uint8)
    if flat.size < rows * step:
        raise InputError(f'the message has {flat.size} bytes, {rows} rows of {step} were expected')
    return flat
