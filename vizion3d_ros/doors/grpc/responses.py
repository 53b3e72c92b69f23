# SPDX-License-Identifier: Apache-2.0
"""
Answers as the bytes of a message.

protobuf takes numbers one by one; a map is written as it lies on the wire instead. Parts of a
message may follow one another in any order, so what is left is written by protobuf behind it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.files.ply import encode_ply
from vizion3d_ros.files.snapshot import png
from vizion3d_ros.proto import lifting_pb2
from vizion3d_ros.requests.lazy_views import LazyViews
from vizion3d_ros.requests.mono import DepthEstimationResult
from vizion3d_ros.requests.stereo import StereoDepthResult

DEPTH_MAP, DISPARITY_MAP, VALUES = 1, 2, 1  # numbers of fields
OF_LENGTH = 2  # how the wire calls a field that begins with its length


def stereo_bytes(answer: StereoDepthResult) -> bytes:
    """Encode a StereoDepthResponse."""
    maps = _map(DEPTH_MAP, answer.depth) + _map(DISPARITY_MAP, answer.disparity)
    return maps + _common(answer, lifting_pb2.StereoDepthResponse)


def mono_bytes(answer: DepthEstimationResult) -> bytes:
    """Encode a DepthEstimationResponse."""
    return _map(DEPTH_MAP, answer.depth) + _common(answer, lifting_pb2.DepthEstimationResponse)


def _common(answer: LazyViews, kind: type) -> bytes:
    picture, points = answer.picture, answer.points
    encoded: bytes = kind(
        min_depth=answer.min_depth,
        max_depth=answer.max_depth,
        backend_used=answer.backend_used,
        depth_image=b'' if picture is None else png(picture),
        point_cloud_ply=b'' if points is None else encode_ply(points),
    ).SerializeToString()
    return encoded


def _map(number: int, values: NDArray[np.float32]) -> bytes:
    """A field of rows: each is a message with one field of packed numbers."""
    row_bytes = 4 * values.shape[1]
    numbers = _head(VALUES, row_bytes)
    head = _head(number, len(numbers) + row_bytes) + numbers
    rows = np.empty((len(values), len(head) + row_bytes), np.uint8)
    rows[:, : len(head)] = np.frombuffer(head, np.uint8)
    rows[:, len(head) :] = np.ascontiguousarray(values, '<f4').view(np.uint8)
    return rows.tobytes()


def _head(number: int, length: int) -> bytes:
    """Number and kind of a field, and the length of what follows in groups of seven bits."""
    groups = [length >> shift & 0x7F for shift in range(0, max(length.bit_length(), 1), 7)]
    more = [group | 0x80 for group in groups[:-1]]
    return bytes([number << 3 | OF_LENGTH, *more, groups[-1]])
