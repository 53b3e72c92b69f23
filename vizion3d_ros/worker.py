# SPDX-License-Identifier: Apache-2.0
"""
The one thread that owns the device: newest frame wins, every request is answered.

Beside it, in a node, the one that publishes a frame while the next is computed.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import AbstractContextManager, suppress
from typing import Generic, TypeVar

from vizion3d_ros.contracts.errors import BackendError, BusyError
from vizion3d_ros.engine.loading import is_loading

Frame = TypeVar('Frame')
Answer = TypeVar('Answer')
Job = Callable[[], None]
THREAD_NAME = 'depth-worker'
MOST_REQUESTS = 256  # that wait: each may hold two large images


class Worker(Generic[Frame]):
    """
    Runs frames and requests one at a time, taking turns when both are waiting.

    At most one frame waits: a newer one replaces it and `skipped` counts the loss. Requests wait
    in order. An exception in a frame goes to on_error, one in a request to its future; the
    thread survives both. `in_hand`: the number of the job it is at, 0 while it has none.
    """

    def __init__(
        self, process: Callable[[Frame], None], on_error: Callable[[Exception], None]
    ) -> None:
        """Start the thread; process(frame) and on_error(exception) run inside it."""
        self.skipped = self.in_hand = 0
        self._process = process
        self._on_error = on_error
        self._frames: deque[Frame] = deque(maxlen=1)
        self._requests: deque[tuple[Callable[[], object], Future[object]]] = deque()
        self._load: Callable[[], None] | None = None
        self._answering: Future[object] | None = None
        self._jobs = 0
        self._wake = threading.Condition()
        self._closing = False
        self._request_turn = True
        # A daemon, so that a matcher stuck in native code cannot keep the process from exiting.
        self._thread = threading.Thread(target=self._loop, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def put_frame(self, frame: Frame) -> None:
        """Hand over the newest frame; one still waiting is dropped and counted."""
        with self._wake:
            self.skipped += len(self._frames)
            self._frames.append(frame)
            self._wake.notify()

    def call(self, request: Callable[[], Answer]) -> Future[Answer]:
        """
        Queue a request; the future gets its answer or its exception.

        Cancelling the future takes a request that waits out of the queue.
        """
        future: Future[Answer] = Future()
        with self._wake:
            if self._closing:
                _answer(_refuse, future)  # type: ignore[arg-type]
            elif len(self._requests) >= MOST_REQUESTS:
                _answer(_refuse_more, future)  # type: ignore[arg-type]
            else:
                self._requests.append((request, future))  # type: ignore[arg-type]
                self._wake.notify()
        future.add_done_callback(self._let_go)
        return future

    def load(self, job: Callable[[], None]) -> None:
        """Run a job before all that waits; it must not raise, and replaces one not yet begun."""
        with self._wake:
            self._load = job
            self._wake.notify()

    @property
    def is_loading(self) -> bool:
        """Whether what it is at is loading, which may take its time."""
        return is_loading(self._thread.ident)

    def give_up(self, reason: str) -> None:
        """Answer all requests, that in hand as well, with a BackendError: they wait in vain."""
        with self._wake:
            waiting = [future for _, future in self._requests]
            self._requests.clear()
        for future in (*waiting, self._answering):
            if future is not None:
                _settle(future, BackendError(reason))

    def clear(self) -> None:
        """Drop the frame that waits, if any; it is not counted as skipped."""
        with self._wake:
            self._frames.clear()

    def close(self, timeout: float) -> bool:
        """
        Stop after the work in hand; answer waiting requests with an error.

        Returns whether the thread ended within timeout seconds.
        """
        with self._wake:
            self._closing = True
            self._load = None
            self._frames.clear()
            waiting = list(self._requests)
            self._requests.clear()
            self._wake.notify()
        for _, future in waiting:
            _answer(_refuse, future)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _let_go(self, future: Future[Answer]) -> None:
        """Forget a request that was cancelled: it may hold two large images."""
        if future.cancelled():
            with self._wake:
                kept = [waiting for waiting in self._requests if waiting[1] is not future]
                self._requests = deque(kept)

    def _loop(self) -> None:
        while self._run_next():
            pass

    def _run_next(self) -> bool:
        # A function of its own, so that nothing keeps a finished frame's images alive.
        job = self._next_job()
        if job is not None:
            job()
        self.in_hand = 0
        return job is not None

    def _next_job(self) -> Callable[[], None] | None:
        with self._wake:
            self._wake.wait_for(self._has_work)
            if self._closing:
                return None
            self._jobs += 1
            self.in_hand = self._jobs
            if self._load is not None:
                job, self._load = self._load, None
                return job
            if self._requests and (self._request_turn or not self._frames):
                self._request_turn = False
                request, future = self._requests.popleft()
                return lambda: self._run_request(request, future)
            self._request_turn = True
            frame = self._frames.popleft()
            return lambda: self._run_frame(frame)

    def _has_work(self) -> bool:
        return bool(self._closing or self._load or self._frames or self._requests)

    def _run_request(self, request: Callable[[], object], future: Future[object]) -> None:
        self._answering = future
        _answer(request, future)
        self._answering = None

    def _run_frame(self, frame: Frame) -> None:
        try:
            self._process(frame)
        except Exception as error:  # a bad frame must not end the thread
            self._on_error(error)


def _answer(request: Callable[[], object], future: Future[object]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        answer = request()
    except Exception as error:  # the caller gets it from the future
        _settle(future, error)
    else:
        _settle(future, answer)


def _settle(future: Future[object], answer: object) -> None:
    """Give a future its answer or exception, unless it was given up meanwhile."""
    with suppress(InvalidStateError):
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)


def _refuse() -> object:
    raise BackendError('shutting down before this request had its turn: ask again later')


def _refuse_more() -> object:
    raise BusyError(f'{MOST_REQUESTS} requests wait already: ask again later, or less often')


class PublishStage(Generic[Frame]):
    """
    What a worker does with a frame: computes it, and hands its publishing over, in order.

    The worker waits until the frame before is out: none piles up, and it then takes the newest
    there is. An exception in publishing goes to on_error; the thread survives it.
    """

    def __init__(
        self,
        compute: Callable[[Frame], Job | None],
        on_error: Callable[[Exception], None],
        stream: AbstractContextManager[object],
    ) -> None:
        """Start the thread, which enters stream; compute(frame) gives what is left to do."""
        self._compute = compute
        self._stream = stream
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
        with self._stream:
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
