# SPDX-License-Identifier: Apache-2.0
"""
What the worker does with a request: read, run the pipeline, respond.

    RunStereoDepth ─────┐                                          ┌─ RunStereoDepth
    RunDepthEstimation ─┴─ requests_in ─ requests/ ─ responses_out ─┴─ RunDepthEstimation
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from vizion3d_interfaces.srv import RunDepthEstimation, RunStereoDepth
from vizion3d_ros.contracts.settings.node_settings import NodeSettings
from vizion3d_ros.pipeline import MonoPipeline, StereoPipeline
from vizion3d_ros.requests.mono import mono_answer, prepare_mono
from vizion3d_ros.requests.stereo import prepare_stereo, stereo_answer
from vizion3d_ros.ros.serving.requests_in import mono_command, picture_limits, stereo_command
from vizion3d_ros.ros.serving.responses_out import mono_response, stereo_response


@dataclass(frozen=True, slots=True)
class RequestKind:
    """One service: its name and type, and the steps from its request to its response."""

    name: str
    type: type
    network: str  # the backend that has checkpoints, and its group of settings
    image: str  # the field whose header the response carries
    pipeline: Callable[[str], Any]
    read: Callable[..., Any]
    prepare: Callable[..., Any]
    answer: Callable[..., Any]
    respond: Callable[..., Any]


STEREO_REQUEST = RequestKind(
    name='run_stereo_depth',
    type=RunStereoDepth,
    network='s2m2',
    image='left_image',
    pipeline=StereoPipeline,
    read=stereo_command,
    prepare=prepare_stereo,
    answer=stereo_answer,
    respond=stereo_response,
)
MONO_REQUEST = RequestKind(
    name='run_depth_estimation',
    type=RunDepthEstimation,
    network='depth_anything_v2',
    image='image',
    pipeline=MonoPipeline,
    read=mono_command,
    prepare=prepare_mono,
    answer=mono_answer,
    respond=mono_response,
)


class Requests:
    """
    Answers the requests of one kind, in the worker thread.

    They share the pipeline of the topics. A checkpoint that a request chooses gets another one, so
    that the node's own stays loaded; the last such checkpoint is kept.
    """

    def __init__(
        self,
        kind: RequestKind,
        pipeline: Any,
        settings: Callable[[], NodeSettings],
        now: Callable[[], Time],
    ) -> None:
        """settings() gives what a request leaves open, now() the stamp of images without one."""
        self.kind = kind
        self._pipeline = pipeline
        self._other: tuple[str, Any] = ('', None)
        self._settings = settings
        self._now = now

    def __call__(self, request: Any) -> Any:
        """Answer one request. Raises a DepthError or ValidationError that names the field."""
        kind, settings = self.kind, self._settings()
        own = self._checkpoint(settings)
        command = kind.read(request, own, settings.requests, settings.mono16_bits)
        prepared = kind.prepare(command, settings, picture_limits(settings.requests))
        pipeline = self._pipeline_for(self._checkpoint(prepared.settings), own)
        answer = kind.answer(command, prepared, pipeline.run(prepared))
        return kind.respond(answer, self._header(getattr(request, kind.image).header))

    def _checkpoint(self, settings: Any) -> str:
        """The checkpoint that these settings run, '' for a matcher without."""
        kind = self.kind
        runs_it = settings.backend == kind.network
        return getattr(settings, kind.network).model_backend if runs_it else ''

    def _pipeline_for(self, checkpoint: str, own: str) -> Any:
        if checkpoint in ('', own):
            return self._pipeline
        if checkpoint != self._other[0]:
            self._other = ('', None)  # lets go of the memory first
            self._other = (checkpoint, self.kind.pipeline(str(self._pipeline.device)))
        return self._other[1]

    def _header(self, given: Header) -> Header:
        stamped = given.stamp.sec or given.stamp.nanosec
        return Header(
            stamp=given.stamp if stamped else self._now(),
            frame_id=self._settings().frame_id_override or given.frame_id,
        )
