# SPDX-License-Identifier: Apache-2.0
"""What all doors share: one thread that owns the device, places in its queue, permissions."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any

from vizion3d_ros.contracts.commands import MonoCommand, StereoCommand
from vizion3d_ros.contracts.errors import BusyError, DownloadError
from vizion3d_ros.contracts.mono_request import DepthEstimationCommand
from vizion3d_ros.contracts.results import MonoResult, StereoResult
from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
from vizion3d_ros.contracts.stereo_request import OPENCV_SGBM, StereoDepthCommand
from vizion3d_ros.files.picture import PictureLimits
from vizion3d_ros.pipeline import MonoPipeline, StereoPipeline
from vizion3d_ros.requests.mono import DepthEstimationResult, answer_mono
from vizion3d_ros.requests.permissions import permitted_model, permitted_network
from vizion3d_ros.requests.pictures import read_image
from vizion3d_ros.requests.pipelines import ServicePipelines
from vizion3d_ros.requests.stereo import StereoDepthResult, answer_stereo
from vizion3d_ros.worker import Worker


class DepthWorker:
    """
    Answers the requests of every door, one after another; safe to use from many threads.

    A door takes a place first and keeps it until its answer is sent, so that what is in memory
    has a limit. Cancelling a future takes its request out of the queue.
    """

    def __init__(self, settings: ServiceSettings, places: int) -> None:
        """places: how many requests may be on their way at once. Nothing is loaded yet."""
        self.settings = settings
        self._limits = PictureLimits(settings.requests.max_pixels, settings.requests.max_bytes)
        self._stereo = StereoPipeline(settings.device)
        self._mono = MonoPipeline(settings.device)
        self._run_stereo = ServicePipelines[StereoCommand, StereoResult](self._stereo).run
        self._run_mono = ServicePipelines[MonoCommand, MonoResult](self._mono).run
        self._worker: Worker[Any] = Worker(lambda _: None, lambda _: None)
        self._places = places
        self._taken = 0
        self._lock = Lock()

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
        if self.settings.preload in ('stereo', 'both'):
            with _other_way():
                self._stereo.warm_up(self.settings.stereo())
        if self.settings.preload in ('mono', 'both'):
            self._mono.warm_up(self.settings.mono())

    @contextmanager
    def place(self) -> Iterator[None]:
        """Count as one request on its way; BusyError if there are as many as may be."""
        with self._lock:
            if self._taken >= self._places:
                raise BusyError(f'all {self._places} places are taken: ask again later')
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
        permitted = permitted_model(request.model_backend, settings.checkpoint, self._allowed)
        run = partial(self._run_stereo, own_checkpoint=settings.checkpoint)

        def answer() -> StereoDepthResult:
            chosen = request.model_copy(update={'model_backend': permitted})
            with _other_way():
                return answer_stereo(chosen, run, settings, self._limits).answer

        return self._worker.call(answer)

    def mono(
        self, request: DepthEstimationCommand, field: str = 'image'
    ) -> Future[DepthEstimationResult]:
        """Queue a request for one image, as stereo() does; field: what its sender calls it."""
        settings = self.settings.mono()
        permitted = permitted_network(request.model_backend, settings.checkpoint, self._allowed)
        run = partial(self._run_mono, own_checkpoint=settings.checkpoint)

        def answer() -> DepthEstimationResult:
            image = read_image(request.image_input, field, self._limits)
            changes = {'model_backend': permitted, 'image_input': image}
            return answer_mono(request.model_copy(update=changes), run, settings).answer

        return self._worker.call(answer)

    def close(self, timeout: float) -> bool:
        """Stop after the request in hand; tell whether that was done within timeout seconds."""
        return self._worker.close(timeout)

    @property
    def _allowed(self) -> list[str]:
        return self.settings.requests.allowed_models


@contextmanager
def _other_way() -> Iterator[None]:
    """Where a stereo checkpoint cannot be fetched, name the matcher that has none."""
    try:
        yield
    except DownloadError as error:
        raise DownloadError(f'{error}; {OPENCV_SGBM!r} needs no download') from error
