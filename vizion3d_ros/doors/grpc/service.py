# SPDX-License-Identifier: Apache-2.0
"""
The service: its calls wait for the worker, and nobody else waits with them.

A method that is not here answers UNIMPLEMENTED.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import DecodeError

from vizion3d_ros.contracts.errors import InputError, LateError, sendable
from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.doors.grpc.requests import annotation_command, mono_command, stereo_command
from vizion3d_ros.doors.grpc.responses import annotation_bytes, mono_bytes, stereo_bytes
from vizion3d_ros.doors.grpc.status import status_of
from vizion3d_ros.doors.words import too_late
from vizion3d_ros.proto import lifting_pb2

SERVICE = 'vizion3d.lifting.LiftingService'
TRANSFER_S = 60.0  # of a request or a response; others may want the place

Command = TypeVar('Command')
Answer = TypeVar('Answer')


class _Call(Generic[Command, Answer]):
    """Answers one method."""

    def __init__(
        self,
        worker: DepthWorker,
        kind: Any,
        read: Callable[[Any], Command],
        submit: Callable[[Command], Future[Answer]],
        encode: Callable[[Answer], bytes],
    ) -> None:
        self._worker, self._kind = worker, kind
        self._deadline_s = worker.settings.web.deadline
        self._read, self._submit, self._encode = read, submit, encode

    async def answered(self, _: object, context: grpc.aio.ServicerContext) -> None:
        """Send the response, or end the call with a code and a sentence."""
        try:
            with self._worker.place():  # until the client has taken it
                answer = await self._answer(await _arrived(context))
                context.set_trailing_metadata(_told(answer))
                await _deliver(await asyncio.to_thread(self._encode, answer), context)
        except Exception as error:  # whatever goes wrong, the caller hears of it
            await context.abort(*status_of(error, self._worker.sentence))

    async def _answer(self, message: bytes) -> Answer:
        """Wait for the answer; a call that is cancelled or too late leaves the queue."""
        job = await asyncio.to_thread(self._begin, message)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(job), self._deadline_s)
        except asyncio.TimeoutError as error:
            raise too_late(self._deadline_s) from error
        finally:
            job.cancel()  # at once, and not with the next turn of the loop

    def _begin(self, message: bytes) -> Future[Answer]:
        try:
            request = self._kind.FromString(message)
        except DecodeError as error:
            name = self._kind.DESCRIPTOR.full_name
            raise InputError(f'expected a {name}, got {len(message)} other bytes') from error
        return self._submit(self._read(request))


async def _arrived(context: grpc.aio.ServicerContext) -> bytes:
    """Receive a request, behind its place: as many are in memory as there are places."""
    try:
        message: bytes = await asyncio.wait_for(context.read(), TRANSFER_S)
    except asyncio.TimeoutError as error:
        text = f'the request did not arrive within {TRANSFER_S:g} s: send it again'
        raise LateError(text) from error
    if message is grpc.aio.EOF:
        raise InputError('expected a request, got none')
    return message


def _told(answer: object) -> tuple[tuple[str, str], ...]:
    """What an answer says of itself, for which the contract's messages have no field."""
    message = getattr(answer, 'message', '')
    text = sendable(message).encode('ascii', 'replace').decode().replace('\n', ' ')
    return (('message', text),) if message else ()


async def _deliver(response: bytes, context: grpc.aio.ServicerContext) -> None:
    try:
        await asyncio.wait_for(context.write(response), TRANSFER_S)
    except asyncio.TimeoutError as error:
        raise LateError(f'the response was not taken within {TRANSFER_S:g} s') from error


def make_service(worker: DepthWorker, features: Sequence[str]) -> grpc.GenericRpcHandler:
    """Make the methods of the features, of arguments.FEATURES."""
    mono = partial(worker.mono, field='image_bytes')
    stereo_kind, mono_kind = lifting_pb2.StereoDepthRequest, lifting_pb2.DepthEstimationRequest
    objects_kind = lifting_pb2.ObjectMaskAnnotation3DRequest
    ways: dict[str, tuple[str, _Call[Any, Any]]] = {
        'stereo_depth': (
            'RunStereoDepth',
            _Call(worker, stereo_kind, stereo_command, worker.stereo, stereo_bytes),
        ),
        'depth_estimation': (
            'RunDepthEstimation',
            _Call(worker, mono_kind, mono_command, mono, mono_bytes),
        ),
        'object_mask_annotation_3d': (
            'RunObjectMaskAnnotation3D',
            _Call(worker, objects_kind, annotation_command, worker.objects, annotation_bytes),
        ),
    }
    # To read and write the one message ourselves, in time; on the wire it is the same.
    methods = {
        name: grpc.stream_stream_rpc_method_handler(call.answered)
        for feature, (name, call) in ways.items()
        if feature in features
    }
    return grpc.method_handlers_generic_handler(SERVICE, methods)
