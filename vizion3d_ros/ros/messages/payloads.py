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

POINT_STEP = 16

Values = Union['Tensor', NDArray[Any]]


def points_message(header: Header, points: Values) -> PointCloud2:
    """
    Points of 16 bytes: float32 x, y, z in metres, optical frame, and packed rgb.

    points: float32 (H, W, 4) organised, with NaN where nothing is, or (N, 4) valid ones only.
    """
    organized = points.ndim == 3
    height, width = points.shape[:2] if organized else (1, len(points))
    message = PointCloud2(
        header=header,
        height=height,
        width=width,
        fields=[
            PointField(name=name, offset=4 * index, datatype=PointField.FLOAT32, count=1)
            for index, name in enumerate(('x', 'y', 'z', 'rgb'))
        ],
        is_bigendian=False,
        point_step=POINT_STEP,
        row_step=POINT_STEP * width,
        is_dense=not organized,
    )
    lend(message, points)
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
    """Let an array be the data of a message, without a copy."""
    array = values if isinstance(values, np.ndarray) else values.cpu().numpy()
    # Past the setter, which copies all but an array.array: what serialises takes any buffer.
    message._data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
