# SPDX-License-Identifier: Apache-2.0
"""The vizion3d contract of depth from one image: what a Python call or a service asks for."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field, PlainValidator

from vizion3d_ros.contracts.base import Contract, Positive
from vizion3d_ros.contracts.image_source import ImageSource
from vizion3d_ros.contracts.pixels import FocalPx, PositionPx

DEFAULT_MONO_BACKEND = (
    'https://github.com/OlafenwaMoses/vizion3D/releases/download/essentials-v1/'
    'depth_anything_v2_vitb.pth'
)


POINT_COLUMNS = 3


def _check_points(points: object) -> np.ndarray:
    try:
        array = np.asarray(points, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f'expected numbers of shape (N, 3): {error}') from error
    if array.ndim != 2 or array.shape[1] != POINT_COLUMNS:
        raise ValueError(
            'expected shape (N, 3), columns u and v in pixels and depth in metres, '
            f'got {array.shape}'
        )
    return array


PixelDepths = Annotated[np.ndarray, PlainValidator(_check_points)]


class DepthEstimationAdvanceConfig(Contract):
    """Intrinsics and range of the cloud; the spelling of the name is vizion3d's."""

    fx: FocalPx | None = Field(None, description='None: fy, or 0.85 * width without that')
    fy: FocalPx | None = Field(None, description='None: fx, or 0.85 * width without that')
    cx: PositionPx | None = Field(None, description='None: width / 2')
    cy: PositionPx | None = Field(None, description='None: height / 2')
    depth_scale: Positive = Field(
        1000.0,
        description='Accepted as on the wire, without effect: it divides stored integer depths, '
        'and points are made in metres here',
    )
    depth_trunc: float = Field(
        10.0,
        gt=0.5,
        le=10_000.0,
        description='Where the cloud ends, metres. A metric model: points from here on are left '
        'out. A relative one: its farthest point is put here, its nearest at 0.5',
    )


class DepthEstimationCommand(Contract):
    """
    One image and what to make of it.

    image_input: path, encoded bytes, or uint8 (H, W, 3) RGB or (H, W) grey pixels.
    model_backend: a Depth Anything V2 checkpoint (address, known name or path), '' for what a
    service runs anyway. sparse_points (our addition): (N, 3) numbers, columns u and v in pixels
    (whole at pixel centres) and depth in metres; they make a relative checkpoint's answer metric.
    """

    image_input: ImageSource
    model_backend: str = DEFAULT_MONO_BACKEND
    return_depth_image: bool = False
    return_raw_depth: bool = True
    return_point_cloud: bool = False
    sparse_points: PixelDepths | None = None
    advanced_config: DepthEstimationAdvanceConfig = DepthEstimationAdvanceConfig()
