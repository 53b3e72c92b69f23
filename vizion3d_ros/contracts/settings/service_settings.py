# SPDX-License-Identifier: Apache-2.0
"""Every setting of what only answers requests, node or server; names as in the other nodes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vizion3d_ros.contracts.base import Contract
from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings
from vizion3d_ros.contracts.settings.mono_settings import DepthAnythingSettings, MonoSettings
from vizion3d_ros.contracts.settings.node_settings import FIXED, CommonSettings, NearDepth
from vizion3d_ros.contracts.settings.onnx_settings import OnnxSettings, StereoOnnxSettings
from vizion3d_ros.contracts.settings.stereo_settings import (
    S2m2Settings,
    SgbmSettings,
    StereoSettings,
)


class WebSettings(Contract):
    """How many requests there may be by REST and gRPC, and for how long."""

    places: int = Field(
        32,
        ge=1,
        le=1024,
        description='Requests by REST and gRPC on their way at once; more are told to come later',
        json_schema_extra=FIXED,
    )
    deadline: float = Field(
        300.0,
        ge=0.1,
        le=86400.0,
        description='Seconds that a request by REST or gRPC may wait for its answer',
        json_schema_extra=FIXED,
    )


class SegmenterSettings(Contract):
    """What finds the objects of annotation requests that name no model."""

    model_backend: str = Field(
        '',
        description='Segmenter: a Mask R-CNN checkpoint of torchvision, or a model of Ultralytics '
        '(*-seg.pt), loaded at start; empty = the one that is installed, with its first request',
    )
    sha256: str = Field(
        '',
        pattern=r'^([0-9a-fA-F]{64})?$',
        description='What the checkpoint must have; empty = any',
    )


class DoorSettings(Contract):
    """Where a node listens besides its services."""

    host: str = Field(
        '127.0.0.1',
        description='Address to listen on: 127.0.0.1 = this machine alone, 0.0.0.0 = any',
        json_schema_extra=FIXED,
    )
    port: int = Field(
        0, ge=0, le=65535, description='Port to listen on; 0 = do not', json_schema_extra=FIXED
    )


class MonoOnnxSettings(OnnxSettings):
    """The network for one image, beside the one for a pair."""

    GROUP = 'mono_onnx'


class ServiceSettings(CommonSettings):
    """Settings of both depth services."""

    preload: Literal['nothing', 'stereo', 'mono', 'both'] = Field(
        'nothing',
        description='What is loaded at start; the rest is with its first request',
        json_schema_extra=FIXED,
    )
    backend: Literal['sgbm', 's2m2', 'onnx'] = Field(
        'sgbm', description='The stereo matcher of requests that choose none'
    )
    mono_backend: Literal['depth_anything_v2', 'onnx'] = Field(
        'depth_anything_v2', description='The network of requests for one image that choose none'
    )
    min_depth: NearDepth = Field(0.5, description='Nearest depth that sgbm searches, in metres')
    sgbm: SgbmSettings = SgbmSettings()
    s2m2: S2m2Settings = S2m2Settings()
    onnx: StereoOnnxSettings = StereoOnnxSettings()
    depth_anything_v2: DepthAnythingSettings = DepthAnythingSettings()
    mono_onnx: MonoOnnxSettings = MonoOnnxSettings()
    annotation: SegmenterSettings = SegmenterSettings()
    web: WebSettings = WebSettings()
    rest: DoorSettings = DoorSettings()
    grpc: DoorSettings = DoorSettings()

    @property
    def chosen(self) -> frozenset[str]:
        """The backend of each kind of request, by the name of its settings."""
        mono = 'mono_onnx' if self.mono_backend == 'onnx' else self.mono_backend
        return frozenset({self.backend, mono})

    def stereo(self) -> StereoSettings:
        """What stereo requests leave open."""
        names = StereoSettings.model_fields.keys() & type(self).model_fields.keys()
        return StereoSettings(**{name: getattr(self, name) for name in names})

    def objects(self) -> AnnotationSettings:
        """What annotation requests leave open."""
        return AnnotationSettings(device=self.device, **dict(self.annotation))

    def mono(self) -> MonoSettings:
        """What requests for one image leave open."""
        names = ('device', 'depth_anything_v2', 'requests', 'mono16_bits', 'frame_id_override')
        chosen = {name: getattr(self, name) for name in names}
        return MonoSettings(**chosen, backend=self.mono_backend, onnx=self.mono_onnx)
