# SPDX-License-Identifier: Apache-2.0
"""
The service: each call waits for the worker in a thread of its own.

A method that is not here answers UNIMPLEMENTED.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as WaitedInVain
from contextlib import ExitStack
from functools import partial
from typing import Any, Generic, TypeVar

import grpc

from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.doors.grpc.requests import mono_command, stereo_command
from vizion3d_ros.doors.grpc.responses import mono_bytes, stereo_bytes
from vizion3d_ros.doors.grpc.status import status_of
from vizion3d_ros.doors.words import too_late
from vizion3d_ros.proto import lifting_pb2

SERVICE = 'vizion3d.lifting.LiftingService'

Command = TypeVar('Command')
Answer = TypeVar('Answer')


class _Call(Generic[Command, Answer]):
    """Answers one method."""

    def __init__(
        self,
        worker: DepthWorker,
        read: Callable[[Any], Command],
        submit: Callable[[Command], Future[Answer]],
        encode: Callable[[Answer], bytes],
    ) -> None:
        self._worker = worker
        self._deadline_s = worker.settings.web.deadline
        self._read, self._submit, self._encode = read, submit, encode

    def __call__(self, request: Any, context: grpc.ServicerContext) -> bytes:
        """Give the bytes of the response, or end the call with a code and a sentence."""
        try:
            self._take_place(context)
            return self._encode(self._answer(self._read(request), context))
        except Exception as error:  # whatever goes wrong, the caller hears of it
            context.abort(*status_of(error, self._worker.sentence))
            raise  # abort does so already

    def _take_place(self, context: grpc.ServicerContext) -> None:
        """Keep a place until the call is over: its answer stays in memory until it is taken."""
        place = ExitStack()
        place.enter_context(self._worker.place())
        if not context.add_callback(place.close):
            place.close()
            raise CancelledError

    def _answer(self, command: Command, context: grpc.ServicerContext) -> Answer:
        left = context.time_remaining()
        patience_s = self._deadline_s if left is None else min(left, self._deadline_s)
        job = self._submit(command)
        context.add_callback(job.cancel)
        try:
            return job.result(patience_s)
        except WaitedInVain as error:
            raise too_late(patience_s) from error
        finally:
            job.cancel()


def make_service(worker: DepthWorker, features: Sequence[str]) -> grpc.GenericRpcHandler:
    """Make the methods of the features: 'stereo_depth' and 'depth_estimation'."""
    mono = partial(worker.mono, field='image_bytes')
    ways: dict[str, tuple[str, Any, _Call[Any, Any]]] = {
        'stereo_depth': (
            'RunStereoDepth',
            lifting_pb2.StereoDepthRequest,
            _Call(worker, stereo_command, worker.stereo, stereo_bytes),
        ),
        'depth_estimation': (
            'RunDepthEstimation',
            lifting_pb2.DepthEstimationRequest,
            _Call(worker, mono_command, mono, mono_bytes),
        ),
    }
    methods = {
        name: grpc.unary_unary_rpc_method_handler(call, kind.FromString)
        for feature, (name, kind, call) in ways.items()
        if feature in features
    }
    return grpc.method_handlers_generic_handler(SERVICE, methods)
