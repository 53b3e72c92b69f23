# SPDX-License-Identifier: Apache-2.0
"""What all doors share: one thread that owns the device, places in its queue, permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any

from vizion3d_ros.contracts.annotation.request import ObjectMaskAnnotation3DCommand
from vizion3d_ros.contracts.commands import AnnotationCommand, MonoCommand, StereoCommand
from vizion3d_ros.contracts.errors import BusyError, DownloadError, explain, sendable
from vizion3d_ros.contracts.mono_request import DepthEstimationCommand
from vizion3d_ros.contracts.results import AnnotationResult, MonoResult, StereoResult
from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
from vizion3d_ros.contracts.stereo_request import OPENCV_SGBM, StereoDepthCommand
from vizion3d_ros.pipeline import AnnotationPipeline, MonoPipeline, StereoPipeline
from vizion3d_ros.requests.annotation.answer import answer_annotation
from vizion3d_ros.requests.annotation.views import ObjectMaskAnnotation3DResult
from vizion3d_ros.requests.mono import DepthEstimationResult, answer_mono
from vizion3d_ros.requests.permissions import permitted_model, permitted_network
from vizion3d_ros.requests.pictures import picture_limits, read_image
from vizion3d_ros.requests.pipelines import ServicePipelines
from vizion3d_ros.requests.stereo import StereoDepthResult, answer_stereo
from vizion3d_ros.worker import Worker


class DepthWorker:
    """
    Answers the requests of every door, one after another; safe to use from many threads.

    A door takes a place first and keeps it until its answer is sent, so that what is in memory
    has a limit. Cancelling a future takes its request out of the queue.
    """

    def __init__(
        self,
        settings: Callable[[], ServiceSettings],
        words: Callable[[str], str] = lambda text: text,
    ) -> None:
        """
        Load nothing yet.

        settings() gives those in force; words(text) puts what the operator calls a setting for
        the parameter that a sentence names.
        """
        self._settings, self._words = settings, words
        device = settings().device
        self._stereo, self._mono = StereoPipeline(device), MonoPipeline(device)
        self.stereo_pipelines = ServicePipelines[StereoCommand, StereoResult](self._stereo)
        self.mono_pipelines = ServicePipelines[MonoCommand, MonoResult](self._mono)
        self._objects = AnnotationPipeline(device)
        self.object_pipelines = ServicePipelines[AnnotationCommand, AnnotationResult](
            self._objects
        )
        self.thread: Worker[Any] = Worker(lambda _: None, lambda _: None)
        self._taken = 0
        self._lock = Lock()

    @property
    def settings(self) -> ServiceSettings:
        """Those in force."""
        return self._settings()

    @property
    def device(self) -> str:
        """Where it computes, as torch names it."""
        return str(self._stereo.device)

    @property
    def taken(self) -> int:
        """How many requests are on their way."""
        return self._taken

    def preload(self) -> None:
        """Load what settings.preload names; BackendError if it cannot be had."""
        settings = self.settings
        if settings.preload in ('stereo', 'both'):
            with _other_way():
                self._stereo.warm_up(settings.stereo())
        if settings.preload in ('mono', 'both'):
            self._mono.warm_up(settings.mono())
        if settings.annotation.model_backend:
            self._objects.warm_up(settings.objects())

    def sentence(self, error: Exception) -> str:
        """What a client is told of an error."""
        return sendable(self._words(explain(error)))

    @contextmanager
    def place(self) -> Iterator[None]:
        """Count as one request on its way; BusyError if there are as many as may be."""
        places = self.settings.web.places
        with self._lock:
            if self._taken >= places:
                raise BusyError(f'all {places} places are taken: ask again later')
            self._taken += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1

    def stereo(self, request: StereoDepthCommand) -> Future[StereoDepthResult]:
        """
        Queue a request; model_backend '' stands for what the worker runs anyway.

        Raises NotAllowedError for another one that is not allowed; the future gets what
        answer_stereo raises, or BusyError.
        """
        settings = self.settings.stereo()
        allowed, limits = settings.requests.allowed_models, picture_limits(settings.requests)
        permitted = permitted_model(request.model_backend, settings.checkpoint, allowed)
        run = partial(self.stereo_pipelines.run, own_checkpoint=settings.checkpoint)

        def answer() -> StereoDepthResult:
            chosen = request.model_copy(update={'model_backend': permitted})
            with _other_way():
                return answer_stereo(chosen, run, settings, limits).answer

        return self.thread.call(answer)

    def mono(
        self, request: DepthEstimationCommand, field: str = 'image'
    ) -> Future[DepthEstimationResult]:
        """Queue a request for one image, as stereo() does; field: what its sender calls it."""
        settings = self.settings.mono()
        allowed, limits = settings.requests.allowed_models, picture_limits(settings.requests)
        permitted = permitted_network(request.model_backend, settings.checkpoint, allowed)
        run = partial(self.mono_pipelines.run, own_checkpoint=settings.checkpoint)

        def answer() -> DepthEstimationResult:
            image = read_image(request.image_input, field, limits)
            changes = {'model_backend': permitted, 'image_input': image}
            return answer_mono(request.model_copy(update=changes), run, settings).answer

        return self.thread.call(answer)

    def objects(
        self, request: ObjectMaskAnnotation3DCommand
    ) -> Future[ObjectMaskAnnotation3DResult]:
        """Queue a request for the objects of a cloud, as stereo() does."""
        settings, base = self.settings, self.settings.objects()
        allowed, limits = settings.requests.allowed_models, picture_limits(settings.requests)
        permitted = permitted_network(request.model_backend, base.checkpoint, allowed)
        run = partial(self.object_pipelines.run, own_checkpoint=base.checkpoint)

        def answer() -> ObjectMaskAnnotation3DResult:
            chosen = request.model_copy(update={'model_backend': permitted})
            return answer_annotation(chosen, run, base, limits).answer

        return self.thread.call(answer)

    def close(self, timeout: float) -> bool:
        """
        Stop after the request in hand; tell whether that was done within timeout seconds.

        Requests that wait are answered with an error, the one in hand too if it lasts longer.
        """
        ended = self.thread.close(timeout)
        if not ended:
            self.thread.give_up('shutting down before this request was done: ask again later')
        return ended


@contextmanager
def _other_way() -> Iterator[None]:
    """Where a stereo checkpoint cannot be fetched, name the matcher that has none."""
    try:
        yield
    except DownloadError as error:
        raise DownloadError(f'{error}; {OPENCV_SGBM!r} needs no download') from error
