# SPDX-License-Identifier: Apache-2.0
"""
What the worker does with the request of a depth service: read it, answer it, respond.

    RunStereoDepth ─────┐                                                     ┌─ RunStereoDepth
    RunDepthEstimation ─┴─ service_requests ─ requests/ ─ service_responses ──┴─ RunDepthEstimation
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from builtin_interfaces.msg import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from vizion3d_interfaces.srv import RunDepthEstimation, RunStereoDepth
from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.commands import MonoCommand, StereoCommand
from vizion3d_ros.contracts.errors import sendable
from vizion3d_ros.contracts.results import MonoResult, StereoResult
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.contracts.settings.node_settings import StreamSettings
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.requests.mono import answer_mono
from vizion3d_ros.requests.pictures import picture_limits
from vizion3d_ros.requests.pipelines import ServicePipelines
from vizion3d_ros.requests.stereo import answer_stereo
from vizion3d_ros.ros.serving.service_requests import mono_command, stereo_command
from vizion3d_ros.ros.serving.service_responses import mono_response, stereo_response
from vizion3d_ros.ros.stream.significant_bits import explain_bits

Pipelines = TypeVar('Pipelines', bound=ServicePipelines[Any, Any])
Settings = TypeVar('Settings', bound=StreamSettings)


class DepthService(ABC, Generic[Pipelines, Settings]):
    """Answers the requests of one service, in the worker thread."""

    NAME: ClassVar[str]
    TYPE: ClassVar[type]

    def __init__(
        self,
        pipelines: Pipelines,
        settings: Callable[[], Settings],
        now: Callable[[], Time],
        known: Callable[[], Any],
    ) -> None:
        """
        Say what a request leaves open: settings(), now() for images without a stamp, and known().

        The last gives the rig or camera that the node sees by, None if it knows none.
        """
        self._pipelines = pipelines
        self._settings = settings
        self._now = now
        self._known = known

    @abstractmethod
    def __call__(self, request: Any) -> Any:
        """Answer one request. Raises a DepthError or ValidationError that names the field."""

    def _header(self, given: Header, settings: Settings) -> Header:
        stamped = given.stamp.sec or given.stamp.nanosec
        return Header(
            stamp=given.stamp if stamped else self._now(),
            frame_id=settings.frame_id_override or given.frame_id,
        )


class StereoService(DepthService[ServicePipelines[StereoCommand, StereoResult], StereoSettings]):
    """Depth of the rectified pair in a request."""

    NAME = 'run_stereo_depth'
    TYPE = RunStereoDepth

    def __call__(self, request: RunStereoDepth.Request) -> RunStereoDepth.Response:
        """Answer one request. Raises a DepthError or ValidationError that names the field."""
        settings = self._settings()
        own, limits = settings.checkpoint, settings.requests
        command = stereo_command(request, own, limits, settings.mono16_bits)
        run = partial(self._pipelines.run, own_checkpoint=own)
        known: StereoRig | None = self._known()
        answered = answer_stereo(command, run, settings, picture_limits(limits), known)
        header = self._header(request.left_image.header, settings)
        response = stereo_response(answered.answer, header, request.omit_maps)
        images = (request.left_image, request.right_image)
        return _with_bits(response, images, settings.mono16_bits)


class MonoService(DepthService[ServicePipelines[MonoCommand, MonoResult], MonoSettings]):
    """Depth of the image in a request."""

    NAME = 'run_depth_estimation'
    TYPE = RunDepthEstimation

    def __call__(self, request: RunDepthEstimation.Request) -> RunDepthEstimation.Response:
        """Answer one request. Raises a DepthError or ValidationError that names the field."""
        settings = self._settings()
        own, limits = settings.checkpoint, settings.requests
        command = mono_command(request, own, limits, settings.mono16_bits)
        run = partial(self._pipelines.run, own_checkpoint=own)
        known: Intrinsics | None = self._known()
        answered = answer_mono(command, run, settings, picture_limits(limits), known)
        header = self._header(request.image.header, settings)
        response = mono_response(answered.answer, header, request.omit_maps)
        return _with_bits(response, (request.image,), settings.mono16_bits)


def _with_bits(response: Any, images: Sequence[Image], mono16_bits: int) -> Any:
    """Say first, as it is behind much else, that few bits of the images were used."""
    texts = (explain_bits(images, mono16_bits), response.message)
    response.message = sendable('; '.join(filter(None, texts)))
    return response
