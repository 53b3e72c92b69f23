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

from vizion3d_ros.files.ply import encode_ply
from vizion3d_ros.files.snapshot import depth_png, npy, png
from vizion3d_ros.requests.lazy_views import LazyViews
from vizion3d_ros.requests.mono import DepthEstimationResult
from vizion3d_ros.requests.stereo import StereoDepthResult

FloatMap = NDArray[np.float32]
MapsAs = Literal['list', 'png', 'npy', 'none']

ROWS = 64  # a few milliseconds
DISPARITY_STEPS = 256  # of a pixel in a PNG, as KITTI has it
WHITE = 65535
FASTEST = 1


def stereo_json(answer: StereoDepthResult, maps: MapsAs) -> bytes:
    """Encode an answer; maps: how depth_map and disparity_map are written."""
    depth = _encoded(answer.depth, maps, depth_png)
    disparity = _encoded(answer.disparity, maps, _disparity_png)
    return _dumps({'depth_map': depth, 'disparity_map': disparity, **_common(answer)})


def mono_json(answer: DepthEstimationResult, maps: MapsAs) -> bytes:
    """Encode an answer as stereo_json does; is_metric is our addition."""
    depth = _encoded(answer.depth, maps, depth_png if answer.is_metric else _relative_png)
    return _dumps({'depth_map': depth, **_common(answer), 'is_metric': answer.is_metric})


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


def _encoded(values: FloatMap, maps: MapsAs, as_png: Callable[[FloatMap], bytes]) -> Any:
    if maps == 'list':
        return _lists(values)
    encode: dict[str, Callable[[FloatMap], bytes]] = {'png': as_png, 'npy': npy}
    return _text(encode[maps](values)) if maps in encode else None


def _lists(values: FloatMap) -> orjson.Fragment:
    """Rows of numbers, as short as a float32 can be told from its neighbours."""
    blocks = (_dumps(values[row : row + ROWS])[1:-1] for row in range(0, len(values), ROWS))
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
