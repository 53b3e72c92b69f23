# SPDX-License-Identifier: Apache-2.0
"""The second thread of a node: it packs and sends a frame while the worker computes the next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, TypeVar

import torch

Frame = TypeVar('Frame')
Job = Callable[[], None]


class PublishStage(Generic[Frame]):
    """
    What a worker does with a frame: computes it, and hands its publishing over, in order.

    The worker waits until the frame before is out: none piles up, and it then takes the newest
    there is. An exception in publishing goes to on_error; the thread survives it.
    """

    def __init__(
        self,
        device: torch.device,
        compute: Callable[[Frame], Job | None],
        on_error: Callable[[Exception], None],
    ) -> None:
        """Start the thread; compute(frame) runs on device and gives what is left to do."""
        self._device = device
        self._compute = compute
        self._on_error = on_error
        self._job: Job | None = None
        self._changed = threading.Condition()
        self._closing = False
        # A daemon for the same reason as the worker's.
        self._thread = threading.Thread(target=self._loop, name='depth-publisher', daemon=True)
        self._thread.start()

    def __call__(self, frame: Frame) -> None:
        """Compute one frame; it is published as soon as the one before is."""
        job = self._compute(frame)
        if job is None:
            return
        with self._changed:
            self._changed.wait_for(lambda: self._job is None or self._closing)
            if not self._closing:
                self._job = job
                self._changed.notify_all()

    def close(self, timeout: float) -> bool:
        """Stop after the job in hand; whether the thread ended within timeout seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _loop(self) -> None:
        with _own_stream(self._device):
            while self._run_next():
                pass

    def _run_next(self) -> bool:
        # A function of its own, so that nothing keeps a finished frame's images alive.
        with self._changed:
            self._changed.wait_for(lambda: self._job is not None or self._closing)
            job = self._job
        if job is None:
            return False
        try:
            job()
        except Exception as error:  # a bad frame must not end the thread
            self._on_error(error)
        with self._changed:
            self._job = None
            self._changed.notify_all()
        return True


def _own_stream(device: torch.device) -> AbstractContextManager[object]:
    """A CUDA stream beside the worker's, so that a download does not queue behind its kernels."""
    if device.type != 'cuda':
        return nullcontext()
    return torch.cuda.stream(torch.cuda.Stream(device))  # type: ignore[no-untyped-call]
