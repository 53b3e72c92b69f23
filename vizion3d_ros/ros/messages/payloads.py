# SPDX-License-Identifier: Apache-2.0
"""
Pixels and points become messages that lend their memory.

Without torch, so that the processes of cameras and lidars start fast and stay small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import Header

if TYPE_CHECKING:
    from torch import Tensor

PACKED = {'x': 0, 'y': 4, 'z': 8, 'rgb': 12}, 16
PCL = {'x': 0, 'y': 4, 'z': 8, 'rgb': 16}, 32
"""Where the fields of a point lie, in bytes, and how many it has; PCL: of pcl::PointXYZRGB."""

Values = Union['Tensor', NDArray[Any]]


def points_message(header: Header, points: Values, layout: str = 'packed') -> PointCloud2:
    """
    Points of 16 bytes: float32 x, y, z in metres, optical frame, and packed rgb.

    points: float32 (H, W, 4) organised, with NaN where nothing is, or (N, 4) valid ones only; a
    fifth column is the field uncertainty. layout: packed, or pcl, which has 32 bytes with padding
    behind z and what follows.
    """
    offsets, point_step = PCL if layout == 'pcl' else PACKED
    if points.shape[-1] > len(offsets):
        offsets = {**offsets, 'uncertainty': offsets['rgb'] + 4}
        point_step = max(point_step, offsets['uncertainty'] + 4)
    organized = points.ndim == 3
    height, width = points.shape[:2] if organized else (1, len(points))
    message = PointCloud2(
        header=header,
        height=height,
        width=width,
        fields=[
            PointField(name=name, offset=offset, datatype=PointField.FLOAT32, count=1)
            for name, offset in offsets.items()
        ],
        is_bigendian=False,
        point_step=point_step,
        row_step=point_step * width,
        is_dense=not organized,
    )
    lend(message, _padded(_to_numpy(points)) if layout == 'pcl' else points)
    return message


def image_message(header: Header, pixels: Values, encoding: str) -> Image:
    """Wrap pixels (H, W) or (H, W, C) of the type that the encoding says."""
    height, width = pixels.shape[:2]
    message = Image(header=header, height=height, width=width, encoding=encoding)
    message.is_bigendian = False
    lend(message, pixels)
    message.step = len(message.data) // height
    return message


def lend(message: Any, values: Values) -> None:
    """Let an array (H, W, ...) or (N, ...) be the data of a message, without a copy."""
    # Past the setter, which copies all but an array.array: what serialises takes any buffer.
    message._data = np.ascontiguousarray(_to_numpy(values)).reshape(-1).view(np.uint8).data


def _to_numpy(values: Values) -> NDArray[Any]:
    return values if isinstance(values, np.ndarray) else values.cpu().numpy()


def _padded(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points (..., 4 or 5) to (..., 8): zeros behind z and behind the last."""
    padded = np.zeros((*points.shape[:-1], 8), np.float32)
    padded[..., :3], padded[..., 4 : points.shape[-1] + 1] = points[..., :3], points[..., 3:]
    return padded
