# SPDX-License-Identifier: Apache-2.0
"""
Pairs to messages, in this process or in several, in the order in which they came.

Processes are spawned, as CUDA wants it; each has a pipeline of its own.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import cv2
import torch
from pydantic import ValidationError

from vizion3d_ros.bags.outgoing import Answer, MessageWriter, needs
from vizion3d_ros.bags.pairs import RecordedPair
from vizion3d_ros.contracts.commands import StereoCommand
from vizion3d_ros.contracts.errors import (
    BackendError,
    CheckpointError,
    DepthError,
    DownloadError,
    explain,
)
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.files.picture import PictureLimits
from vizion3d_ros.incoming.compressed import decode_pair, decompressed, is_compressed
from vizion3d_ros.incoming.stereo_frame import StereoFrame, stereo_command
from vizion3d_ros.pipeline.stereo import StereoPipeline

AHEAD = 2  # pairs a process has waiting


@dataclass(frozen=True, slots=True)
class Computed:
    """Messages of a pair by topic, or why there are none; time_ns: of the left image."""

    time_ns: int
    messages: dict[str, bytes]
    fault: str = ''


class DepthMaker:
    """Computes pairs one after another."""

    def __init__(self, settings: StereoSettings, topics: tuple[str, ...]) -> None:
        """topics: those of the node that are to be made."""
        self._settings = settings
        self._topics = topics
        self._needs = needs(topics)
        self._pipeline = StereoPipeline(settings.device)
        self._writer = MessageWriter()

    def make(self, pair: RecordedPair) -> Computed:
        """Compute one pair; a checkpoint that can't be had is an error, any other a fault."""
        left = pair.frame.left.header
        try:
            frame = StereoFrame(*decode_pair(pair.frame.left, pair.frame.right, self._as_image))
            command = stereo_command(frame, pair.known, self._settings, self._needs)
            return Computed(pair.time_ns, self._messages(pair, command))
        except (CheckpointError, DownloadError):
            raise
        except (DepthError, ValidationError) as error:
            stamp = f'{left.stamp.sec}.{left.stamp.nanosec:09d}'
            return Computed(pair.time_ns, {}, f'pair of {stamp}: {explain(error)}')

    def _as_image(self, message: Any) -> Any:
        most = self._settings.requests
        limits = PictureLimits(most.max_pixels, most.max_bytes)
        return decompressed(message, limits) if is_compressed(message) else message

    @torch.inference_mode()
    def _messages(self, pair: RecordedPair, command: StereoCommand | None) -> dict[str, bytes]:
        if command is None:
            return {}
        result = self._pipeline.run(command)
        header = SimpleNamespace(
            stamp=pair.frame.left.header.stamp,
            frame_id=self._settings.frame_id_override or pair.frame.left.header.frame_id,
        )
        answer = Answer(result, header, pair.known.left_info)
        encoded = {topic: self._writer.encode(topic, answer) for topic in self._topics}
        return {topic: raw for topic, raw in encoded.items() if raw is not None}


def compute(
    pairs: Iterable[RecordedPair], settings: StereoSettings, topics: tuple[str, ...], jobs: int
) -> Iterator[Computed]:
    """Compute all pairs in `jobs` processes, in their order; 1 = in this one."""
    if jobs == 1:
        yield from map(DepthMaker(settings, topics).make, pairs)
        return
    share = max(1, (os.cpu_count() or 1) // jobs)
    pool = ProcessPoolExecutor(
        jobs, multiprocessing.get_context('spawn'), _start, (settings, topics, share)
    )
    try:
        yield from _in_order(pool.submit, pairs, AHEAD * jobs)
    except BrokenProcessPool as error:
        raise BackendError(
            'a process ended before its time, as when memory runs out: give fewer --jobs'
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    submit: Callable[..., Future[Computed]], pairs: Iterable[RecordedPair], most: int
) -> Iterator[Computed]:
    waiting: deque[Future[Computed]] = deque()
    for pair in pairs:
        waiting.append(submit(_make, pair))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


_of_this_process: list[DepthMaker] = []


def _start(settings: StereoSettings, topics: tuple[str, ...], threads: int) -> None:
    cv2.setNumThreads(threads)
    torch.set_num_threads(threads)
    _of_this_process.append(DepthMaker(settings, topics))


def _make(pair: RecordedPair) -> Computed:
    return _of_this_process[0].make(pair)
