# SPDX-License-Identifier: Apache-2.0
"""
The vizion3d contract of stereo depth: what a Python call or a service asks for.

Names, defaults and units are vizion3d's, so the baseline is in millimetres; behind it all is in
metres. Fields that vizion3d lacks are marked so and change nothing unless given.
"""

from __future__ import annotations

from pydantic import Field, model_validator
from typing_extensions import Self

from vizion3d_ros.contracts.base import Contract, Positive
from vizion3d_ros.contracts.image_source import ImageSource
from vizion3d_ros.contracts.pixels import FocalPx, PositionPx

DEFAULT_STEREO_BACKEND = (
    'https://github.com/OlafenwaMoses/vizion3D/releases/download/essentials-v1/'
    'stereo-depth-s2m2-L.pth'
)
OPENCV_SGBM = 'opencv-sgbm'


class StereoDepthAdvancedConfig(Contract):
    """Calibration of the rectified pair, range of interest and filters of the cloud."""

    focal_length: FocalPx = Field(1000.0, description='fx, and fy unless that is given')
    fy: FocalPx | None = Field(None, description='None: as focal_length (our addition)')
    cx: PositionPx = Field(640.0, description='Principal point of the left image: column')
    cy: PositionPx = Field(360.0, description='Principal point of the left image: row')
    baseline: float = Field(
        100.0, gt=0.0, le=1e6, description='Distance between the cameras in millimetres'
    )
    doffs: PositionPx = Field(
        0.0, description='cx_right - cx_left: Z = focal_length * baseline / (d + doffs)'
    )
    z_far: Positive = Field(50.0, description='Points from this depth in metres on are left out')
    conf_threshold: float = Field(
        0.1, ge=0.0, le=1.0, description='Points of lower confidence are left out'
    )
    occ_threshold: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        description='Points of lower visibility in both views are left out',
    )
    scale_factor: float | None = Field(
        None,
        gt=0.0,
        le=1.0,
        description='Match at this share of the image size; None: S2M2 fits into 960x540, '
        'opencv-sgbm takes the full size',
    )
    min_depth_mm: float | None = Field(
        None,
        ge=10.0,
        le=1e6,
        description='Nearest depth searched, millimetres (our addition); None: opencv-sgbm '
        'searches from 500 mm, S2M2 answers any depth',
    )
    max_depth_mm: float | None = Field(
        None,
        ge=20.0,
        le=1e7,
        description='Farthest depth searched, millimetres (our addition); None: opencv-sgbm '
        'searches to 50000 mm, S2M2 answers any depth',
    )

    @model_validator(mode='after')
    def _ordered_depths(self) -> Self:
        near, far = self.min_depth_mm, self.max_depth_mm
        if near is not None and far is not None and far <= near:
            raise ValueError(
                f'max_depth_mm must be larger than min_depth_mm, got {near:g} and {far:g}'
            )
        return self


class StereoDepthCommand(Contract):
    """
    One rectified pair and what to make of it.

    left_image, right_image: path, encoded bytes, or uint8 (H, W, 3) RGB or (H, W) grey pixels, of
    one size and row-aligned. model_backend: an S2M2 checkpoint (address, known name or path),
    'opencv-sgbm' for semi-global matching without weights, '' for what a service runs anyway.
    return_depth_colormap is our addition.
    """

    left_image: ImageSource
    right_image: ImageSource
    model_backend: str = DEFAULT_STEREO_BACKEND
    return_depth_image: bool = True
    return_raw_depth: bool = True
    return_point_cloud: bool = False
    return_depth_colormap: bool = False
    advanced_config: StereoDepthAdvancedConfig = StereoDepthAdvancedConfig()
