# SPDX-License-Identifier: Apache-2.0
"""Every setting of the mono pipeline and its node; see node_settings.py."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from vizion3d_ros.contracts.base import Contract
from vizion3d_ros.contracts.settings.node_settings import NodeSettings, TorchSettings
from vizion3d_ros.contracts.settings.onnx_settings import OnnxSettings


class DepthAnythingSettings(TorchSettings):
    """Depth Anything V2, the network for one camera."""

    model_backend: str = Field(
        'depth-anything-v2-base',
        description='Checkpoint: a name that fetch_models lists, an https address, or the path '
        'of a file',
    )
    metric_max_depth: float = Field(
        0.0,
        ge=0.0,
        le=1000.0,
        description='What a metric checkpoint was trained for, in metres: 20 indoor (Hypersim), '
        '80 outdoor (VKITTI); 0 = as its name says, a name that says neither is relative',
    )
    input_size: int = Field(
        518,
        ge=14,
        le=2044,
        description='Shorter side that the network sees, in pixels; smaller is faster, coarser',
    )


class SparseDepthSettings(Contract):
    """How sparse metric depth turns a relative model's answer into metres."""

    transform: list[float] = Field(
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        min_length=7,
        max_length=7,
        description='Pose of the frame of sparse_depth/points in the optical frame of the '
        'camera: x, y, z in metres, quaternion x, y, z, w',
    )
    max_offset: float = Field(
        0.15, ge=0.0, le=10.0, description='Largest stamp difference to the image, in seconds'
    )
    max_age: float = Field(
        0.5, ge=0.0, le=60.0, description='Seconds for which a fit serves images without points'
    )
    min_points: int = Field(
        30, ge=3, le=100_000, description='Fewest points that must agree with the fit'
    )
    min_cells: int = Field(
        4, ge=1, le=16, description='Fewest cells of a 4x4 grid over the image they must lie in'
    )
    min_inliers: float = Field(
        0.5, ge=0.05, le=1.0, description='Least share of the points that must agree'
    )
    tolerance: float = Field(
        0.1,
        ge=0.01,
        le=1.0,
        description='Error of the depth at which a point disagrees, as share',
    )
    smoothing: float = Field(
        0.3,
        ge=0.0,
        le=60.0,
        description='Time constant of the smoothing of scale and shift, in seconds; 0 = none',
    )

    @model_validator(mode='after')
    def _turns(self) -> Self:
        if not any(self.transform[3:]):
            raise ValueError(
                'transform must end in a quaternion x, y, z, w, got four zeros; 0, 0, 0, 1 = not '
                'turned'
            )
        return self


class MonoSettings(NodeSettings):
    """Settings of the mono pipeline and its node."""

    backend: Literal['depth_anything_v2', 'onnx'] = Field(
        'depth_anything_v2', description='The network for one camera'
    )
    depth_anything_v2: DepthAnythingSettings = DepthAnythingSettings()
    onnx: OnnxSettings = OnnxSettings()
    sparse_depth: SparseDepthSettings = SparseDepthSettings()
    timeout: float = Field(
        2.0, ge=0.1, le=3600.0, description='Seconds without an image before the log says why'
    )
