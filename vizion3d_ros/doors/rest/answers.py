# SPDX-License-Identifier: Apache-2.0
"""
Answers as the bytes of a JSON object, with vizion3d's keys in its order.

Numbers go from the arrays straight into the text. The many threads of a server share one
interpreter, so a map is written in blocks of rows: others get their turn in between.
"""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from vizion3d_ros.contracts.errors import sendable
from vizion3d_ros.files.ply import encode_ply, encode_vertices
from vizion3d_ros.files.snapshot import depth_png, npy, png
from vizion3d_ros.requests.annotation.views import MaskAnnotation3D, ObjectMaskAnnotation3DResult
from vizion3d_ros.requests.lazy_views import LazyViews
from vizion3d_ros.requests.mono import DepthEstimationResult
from vizion3d_ros.requests.stereo import StereoDepthResult

FloatMap = NDArray[np.float32]
MapsAs = Literal['list', 'png', 'npy', 'none']

ROWS = 64  # a few milliseconds
POINT = 3
DISPARITY_STEPS = 256  # of a pixel in a PNG, as KITTI has it
WHITE = 65535
FASTEST = 1


def stereo_json(answer: StereoDepthResult, maps: MapsAs) -> bytes:
    """Encode an answer; maps: how depth_map and disparity_map are written."""
    depth = _encoded(answer.depth, maps, depth_png)
    disparity = _encoded(answer.disparity, maps, _disparity_png)
    maps_of = {'depth_map': depth, 'disparity_map': disparity}
    return _dumps({**maps_of, **_common(answer), **_message(answer)})


def mono_json(answer: DepthEstimationResult, maps: MapsAs) -> bytes:
    """Encode an answer as stereo_json does; is_metric is our addition, as message is."""
    depth = _encoded(answer.depth, maps, depth_png if answer.is_metric else _relative_png)
    kind = {'is_metric': answer.is_metric}
    return _dumps({'depth_map': depth, **_common(answer), **kind, **_message(answer)})


def annotation_json(answer: ObjectMaskAnnotation3DResult) -> bytes:
    """Encode the objects of a cloud."""
    cloud = None if answer.rgb is None else _text(encode_vertices(answer.xyz, answer.rgb))
    return _dumps(
        {
            'annotations': [_annotation(each) for each in answer.annotations],
            'annotated_cloud_ply': cloud,
            'backend_used': answer.backend_used,
        }
    )


def _annotation(item: MaskAnnotation3D) -> dict[str, Any]:
    cloud = None
    if item.rgb is not None and len(item.indices):
        cloud = _text(encode_vertices(item.coords, item.rgb))
    return {
        'label': item.label,
        'class_id': item.class_id,
        'confidence': item.confidence,
        'bbox_2d': list(item.bbox_2d),
        'mask_image': _text(png(item.mask_2d.astype(np.uint8) * 255)),
        'point_indices': _lists(item.indices),
        'point_coords': _lists(item.coords),
        'object_cloud_ply': cloud,
    }


def zipped(body: bytes) -> bytes:
    """Compress by gzip, fast rather than well."""
    return gzip.compress(body, FASTEST)


def _common(answer: LazyViews) -> dict[str, Any]:
    picture, points = answer.picture, answer.points
    return {
        'min_depth': answer.min_depth,
        'max_depth': answer.max_depth,
        'backend_used': answer.backend_used,
        'depth_image': None if picture is None else _text(png(picture)),
        'point_cloud_ply': None if points is None else _text(encode_ply(points)),
    }


def _message(answer: LazyViews) -> dict[str, str]:
    """What is to be told beside the contract's keys, if anything is."""
    return {'message': sendable(answer.message)} if answer.message else {}


def _encoded(values: FloatMap, maps: MapsAs, as_png: Callable[[FloatMap], bytes]) -> Any:
    if maps == 'list':
        return _lists(values)
    encode: dict[str, Callable[[FloatMap], bytes]] = {'png': as_png, 'npy': npy}
    return _text(encode[maps](values)) if maps in encode else None


def _lists(values: NDArray[Any]) -> orjson.Fragment:
    """Rows of numbers, as short as a float32 can be told from its neighbours."""
    step = ROWS if values.ndim > 1 and values.shape[1] > POINT else ROWS * ROWS
    values = np.ascontiguousarray(values)
    blocks = (_dumps(values[row : row + step])[1:-1] for row in range(0, len(values), step))
    return orjson.Fragment(b'[' + b','.join(blocks) + b']')


def _disparity_png(disparity: FloatMap) -> bytes:
    steps = np.rint(disparity * DISPARITY_STEPS)
    return png(np.where((steps > 0) & (steps <= WHITE), steps, 0).astype(np.uint16))


def _relative_png(relative: FloatMap) -> bytes:
    low, high = relative.min(), relative.max()
    share = (relative - low) / (high - low) if high > low else np.zeros_like(relative)
    return png(np.rint(share * WHITE).astype(np.uint16))


def _text(data: bytes) -> orjson.Fragment:
    """Base64 as a JSON text; nothing in it has to be escaped."""
    return orjson.Fragment(b'"' + b64encode(data) + b'"')


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
