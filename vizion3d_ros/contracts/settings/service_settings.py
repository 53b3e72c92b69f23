# SPDX-License-Identifier: Apache-2.0
"""Every setting of the node that only answers requests; names as in the other nodes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vizion3d_ros.contracts.settings.mono_settings import DepthAnythingSettings, MonoSettings
from vizion3d_ros.contracts.settings.node_settings import FIXED, CommonSettings, NearDepth
from vizion3d_ros.contracts.settings.stereo_settings import (
    S2m2Settings,
    SgbmSettings,
    StereoSettings,
)


class ServiceSettings(CommonSettings):
    """Settings of both depth services."""

    preload: Literal['nothing', 'stereo', 'mono', 'both'] = Field(
        'nothing',
        description='What is loaded at start; the rest is with its first request',
        json_schema_extra=FIXED,
    )
    backend: Literal['sgbm', 's2m2'] = Field(
        'sgbm', description='The stereo matcher of requests that choose none'
    )
    min_depth: NearDepth = Field(0.5, description='Nearest depth that sgbm searches, in metres')
    sgbm: SgbmSettings = SgbmSettings()
    s2m2: S2m2Settings = S2m2Settings()
    depth_anything_v2: DepthAnythingSettings = DepthAnythingSettings()

    def stereo(self) -> StereoSettings:
        """What stereo requests leave open."""
        names = StereoSettings.model_fields.keys() & type(self).model_fields.keys()
        return StereoSettings(**{name: getattr(self, name) for name in names})

    def mono(self) -> MonoSettings:
        """What requests for one image leave open."""
        names = ('device', 'depth_anything_v2', 'requests', 'mono16_bits', 'frame_id_override')
        return MonoSettings(**{name: getattr(self, name) for name in names})
