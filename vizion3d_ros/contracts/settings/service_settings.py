# SPDX-License-Identifier: Apache-2.0
"""Every setting of the node that only answers requests; names as in the other nodes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from vizion3d_ros.contracts.base import Contract
from vizion3d_ros.contracts.settings.mono_settings import DepthAnythingSettings, MonoSettings
from vizion3d_ros.contracts.settings.node_settings import FIXED, RequestSettings
from vizion3d_ros.contracts.settings.stereo_settings import (
    S2m2Settings,
    SgbmSettings,
    StereoSettings,
)


class ServiceSettings(Contract):
    """Settings of both depth services."""

    device: str = Field(
        'auto',
        pattern=r'^(auto|cpu|cuda(:\d+)?)$',
        description='Where networks and geometry run: auto, cpu, cuda or cuda:N',
        json_schema_extra=FIXED,
    )
    preload: Literal['nothing', 'stereo', 'mono', 'both'] = Field(
        'nothing',
        description='What is loaded at start; the rest is with its first request',
        json_schema_extra=FIXED,
    )
    backend: Literal['sgbm', 's2m2'] = Field(
        'sgbm', description='The stereo matcher of requests that choose none'
    )
    min_depth: float = Field(
        0.5, ge=0.01, le=1000.0, description='Nearest depth that sgbm searches, in metres'
    )
    max_depth: float = Field(
        50.0, ge=0.02, le=10000.0, description='Farthest depth that sgbm searches, in metres'
    )
    sgbm: SgbmSettings = SgbmSettings()
    s2m2: S2m2Settings = S2m2Settings()
    depth_anything_v2: DepthAnythingSettings = DepthAnythingSettings()
    requests: RequestSettings = RequestSettings()
    mono16_bits: int = Field(
        16, ge=8, le=16, description='Significant bits of mono16 images (10 for many IR cameras)'
    )
    frame_id_override: str = Field(
        '', description='frame_id of all answers; empty = that of the image in the request'
    )

    @model_validator(mode='after')
    def _usable(self) -> Self:
        self.stereo()
        return self

    def stereo(self) -> StereoSettings:
        """What stereo requests leave open."""
        names = StereoSettings.model_fields.keys() & type(self).model_fields.keys()
        return StereoSettings(**{name: getattr(self, name) for name in names})

    def mono(self) -> MonoSettings:
        """What requests for one image leave open."""
        names = ('device', 'depth_anything_v2', 'requests', 'mono16_bits', 'frame_id_override')
        return MonoSettings(**{name: getattr(self, name) for name in names})
