# SPDX-License-Identifier: Apache-2.0
"""
Answers as the bytes of a message.

protobuf takes numbers one by one; a map is written as it lies on the wire instead. Parts of a
message may follow one another in any order, so what is left is written by protobuf behind it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.files.ply import encode_ply, encode_vertices
from vizion3d_ros.files.snapshot import png
from vizion3d_ros.proto import lifting_pb2
from vizion3d_ros.requests.annotation.views import MaskAnnotation3D, ObjectMaskAnnotation3DResult
from vizion3d_ros.requests.lazy_views import LazyViews
from vizion3d_ros.requests.mono import DepthEstimationResult
from vizion3d_ros.requests.stereo import StereoDepthResult

DEPTH_MAP, DISPARITY_MAP, VALUES = 1, 2, 1  # numbers of fields
ANNOTATIONS, POINT_COORDS = 1, 7
OF_LENGTH = 2  # how the wire calls a field that begins with its length


def stereo_bytes(answer: StereoDepthResult) -> bytes:
    """Encode a StereoDepthResponse."""
    maps = _map(DEPTH_MAP, answer.depth) + _map(DISPARITY_MAP, answer.disparity)
    return maps + _common(answer, lifting_pb2.StereoDepthResponse)


def mono_bytes(answer: DepthEstimationResult) -> bytes:
    """Encode a DepthEstimationResponse."""
    return _map(DEPTH_MAP, answer.depth) + _common(answer, lifting_pb2.DepthEstimationResponse)


def annotation_bytes(answer: ObjectMaskAnnotation3DResult) -> bytes:
    """Encode an ObjectMaskAnnotation3DResponse."""
    items = [_annotation(each) for each in answer.annotations]
    rest: bytes = lifting_pb2.ObjectMaskAnnotation3DResponse(
        annotated_cloud_ply=b'' if answer.rgb is None else encode_vertices(answer.xyz, answer.rgb),
        backend_used=answer.backend_used,
    ).SerializeToString()
    return b''.join(_head(ANNOTATIONS, len(item)) + item for item in items) + rest


def _annotation(item: MaskAnnotation3D) -> bytes:
    cloud = b''
    if item.rgb is not None and len(item.indices):
        cloud = encode_vertices(item.coords, item.rgb)
    encoded: bytes = lifting_pb2.MaskAnnotation3DItem(
        label=item.label,
        class_id=item.class_id,
        confidence=item.confidence,
        bbox_2d=item.bbox_2d,
        mask_image=png(item.mask_2d.astype(np.uint8) * 255),
        point_indices=item.indices.tolist(),
        object_cloud_ply=cloud,
    ).SerializeToString()
    return _map(POINT_COORDS, item.coords) + encoded


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
