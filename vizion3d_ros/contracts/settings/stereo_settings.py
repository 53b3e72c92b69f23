# SPDX-License-Identifier: Apache-2.0
"""Every setting of the stereo pipeline and its node; see node_settings.py."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from vizion3d_ros.contracts.base import Contract
from vizion3d_ros.contracts.settings.node_settings import NearDepth, NetworkSettings, NodeSettings

LEAST_SCALE = 0.1


class SgbmSettings(Contract):
    """Semi-global matching (OpenCV). Names are those of stereo_image_proc, and some more."""

    preset: Literal['fast', 'balanced', 'quality'] = Field(
        'balanced', description='How much of the resolution is matched: time against accuracy'
    )
    width_scale: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description='Match at this fraction of the image width, at least 0.1; 0 = by preset',
    )
    height_scale: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description='Match at this fraction of the image height, at least 0.1; 0 = by preset',
    )
    sgbm_mode: Literal['sgbm', 'hh', '3way'] = Field(
        '3way',
        description='Aggregation paths: 3way is the fastest, sgbm uses 5 directions, hh uses 8',
        json_schema_extra={
            'numbers': {'0': 'sgbm', '1': 'hh', '2': '3way'}
        },  # stereo_image_proc's
    )
    scale: float = Field(
        1.0,
        ge=0.1,
        le=1.0,
        description='Match at this fraction of the size that follows from the preset; '
        'results keep the full size',
    )
    min_disparity: int = Field(
        0,
        ge=-2048,
        le=2048,
        description='First disparity searched, in pixels; used only when disparity_range > 0',
    )
    disparity_range: int = Field(
        0,
        ge=0,
        le=4096,
        multiple_of=16,
        description='Disparities searched, in pixels; 0 = derived from min_depth and max_depth',
    )
    correlation_window_size: int = Field(
        3, ge=1, le=255, description='Matched block width in pixels, odd'
    )
    P1: float = Field(
        120.0,
        ge=0.0,
        le=4000.0,
        description='Smoothness: penalty of a one-pixel disparity change',
    )
    P2: float = Field(
        600.0,
        ge=0.0,
        le=16000.0,
        description='Smoothness: penalty of a larger disparity change; above P1',
    )
    prefilter_cap: int = Field(63, ge=1, le=63, description='Bound on the prefiltered gradient')
    prefilter_size: int = Field(
        0,
        ge=0,
        le=255,
        description='Width of the window whose mean is taken away first, odd; 0 = off. '
        'Helps cameras of different brightness',
    )
    texture_threshold: int = Field(
        0,
        ge=0,
        le=10000,
        description='Summed gradient a block must reach; 0 = off',
    )
    uniqueness_ratio: float = Field(
        5.0,
        ge=0.0,
        le=100.0,
        description='Percent by which the best match must beat the second best',
    )
    disp12_max_diff: int = Field(
        1,
        ge=0,
        le=128,
        description='Left-right disagreement allowed, in pixels at the matched size; 0 acts as 1',
    )
    speckle_size: int = Field(
        200, ge=0, le=10000, description='Islands smaller than this many pixels are removed'
    )
    speckle_range: int = Field(
        1, ge=0, le=31, description='Disparity step that separates islands, in pixels'
    )
    fill: Literal['none', 'narrow', 'dense'] = Field(
        'narrow',
        description='Close gaps from what surrounds them, at confidence 0.05 and visibility 0: '
        'narrow ones and occluded strips, or all (dense)',
    )

    @model_validator(mode='after')
    def _odd_windows_and_ordered_penalties(self) -> Self:
        if self.correlation_window_size % 2 == 0:
            raise ValueError(
                f'correlation_window_size must be odd, got {self.correlation_window_size}'
            )
        if self.prefilter_size % 2 == 0 and self.prefilter_size:
            raise ValueError(f'prefilter_size must be 0 or odd, got {self.prefilter_size}')
        if self.P2 <= self.P1:
            raise ValueError(f'P2 must be larger than P1, got P1 {self.P1} and P2 {self.P2}')
        for name in ('width_scale', 'height_scale'):
            if 0 < getattr(self, name) < LEAST_SCALE:
                raise ValueError(
                    f'{name} must be 0 (by preset) or {LEAST_SCALE} to 1, '
                    f'got {getattr(self, name)}'
                )
        return self


class S2m2Settings(NetworkSettings):
    """S2M2, the neural matcher."""

    model_backend: str = Field(
        's2m2-L',
        description='Checkpoint: s2m2-S, -M, -L or -XL, an https address, or the path of a file',
    )
    max_width: int = Field(
        960, ge=64, le=8192, description='Larger images are shrunk to fit, in pixels'
    )
    max_height: int = Field(
        540, ge=64, le=8192, description='Larger images are shrunk to fit, in pixels'
    )
    refine_iterations: int = Field(
        3, ge=1, le=16, description='Local refinements; fewer are faster, more can be sharper'
    )


class SyncSettings(Contract):
    """How left and right images are paired."""

    mode: Literal['approximate', 'exact'] = Field(
        'approximate', description='Pair stamps within slop, or only equal stamps'
    )
    slop: float = Field(
        0.005, ge=1e-6, le=10.0, description='Largest stamp difference of a pair, in seconds'
    )
    queue_size: int = Field(10, ge=1, le=100, description='Images kept per side while waiting')
    timeout: float = Field(
        2.0, ge=0.1, le=3600.0, description='Seconds without a pair before the log says why'
    )


class StereoSettings(NodeSettings):
    """Settings of the stereo pipeline and its node."""

    backend: Literal['sgbm', 's2m2'] = Field(
        'sgbm', description='The matcher: sgbm needs no weights, s2m2 is neural and wants a GPU'
    )
    min_depth: NearDepth = Field(0.5, description='Nearest depth searched, in metres')
    min_confidence: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description='Drop matches of lower confidence from disparity, depth and cloud; pixels '
        'that were filled have 0.05; 0 = keep all',
    )
    sgbm: SgbmSettings = SgbmSettings()
    s2m2: S2m2Settings = S2m2Settings()
    sync: SyncSettings = SyncSettings()
    baseline_m: float = Field(
        0.0, ge=0.0, le=100.0, description='Baseline in metres; 0 = from the right camera_info'
    )
