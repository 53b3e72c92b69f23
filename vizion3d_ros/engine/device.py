# SPDX-License-Identifier: Apache-2.0
"""Which device and which number format to compute with, and what happens if memory is short."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

from vizion3d_ros.contracts.errors import BackendError

PRECISIONS = {
    'float32': torch.float32,
    'float16': torch.float16,
    'bfloat16': torch.bfloat16,
}

# What torch says on a CPU, and OpenCV, and ONNX Runtime of both kinds of memory.
OUT_OF_MEMORY = (
    *('allocate memory', 'Insufficient mem', 'bad_alloc', 'bad allocation', 'out of memory'),
    "can't start new thread",  # whose stack has no room
)


def choose_device(name: str) -> torch.device:
    """Resolve auto, cpu, cuda or cuda:N; BackendError if that GPU is not there."""
    cuda_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    try:
        device = torch.device(('cuda' if cuda_devices else 'cpu') if name == 'auto' else name)
    except (RuntimeError, TypeError) as error:
        raise BackendError(f'device must be auto, cpu, cuda or cuda:N, got {name!r}') from error
    if device.type == 'cuda' and (device.index or 0) >= cuda_devices:
        raise BackendError(
            f'device {name!r} was asked for but torch sees {cuda_devices} CUDA devices: '
            'choose cpu or auto, or install a CUDA build of torch'
        )
    return device


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Resolve auto to float16 on a GPU, where it is fast, and to float32 on a CPU."""
    if name == 'auto':
        return torch.float16 if device.type == 'cuda' else torch.float32
    return PRECISIONS[name]


class StageTimes:
    """How long consecutive stages take on a device, which is waited for at the end only."""

    def __init__(self, device: torch.device) -> None:
        """The first stage begins now; on a GPU when it has done what it was asked before."""
        self._device = device
        self._names: list[str] = []
        self._marks = [self._mark()]

    def end(self, stage: str) -> None:
        """End a stage here; what follows belongs to the next."""
        self._names.append(stage)
        self._marks.append(self._mark())

    def read_ms(self) -> dict[str, float]:
        """Wait until the device has done all of it; milliseconds by stage."""
        spans = zip(self._marks, self._marks[1:])
        if self._device.type == 'cuda':
            self._marks[-1].synchronize()
            times = [begin.elapsed_time(end) for begin, end in spans]
        else:
            times = [1e3 * (end - begin) for begin, end in spans]
        return dict(zip(self._names, times))

    def _mark(self) -> Any:
        if self._device.type != 'cuda':
            return time.perf_counter()
        mark = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        mark.record(torch.cuda.current_stream(self._device))
        return mark


def own_stream(device: torch.device) -> AbstractContextManager[object]:
    """A CUDA stream of a thread's own: its downloads do not queue behind the kernels of others."""
    if device.type != 'cuda':
        return nullcontext()
    return torch.cuda.stream(torch.cuda.Stream(device))  # type: ignore[no-untyped-call]


@contextmanager
def every_core(device: torch.device) -> Iterator[None]:
    """Let a network on the CPU use all cores; the number of threads is put back afterwards."""
    before = torch.get_num_threads()
    if device.type == 'cpu':
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def enough_memory(task: str, remedy: str) -> Iterator[None]:
    """Say what was done and what helps where memory runs out: BackendError."""
    try:
        yield
    except Exception as error:  # OpenCV has an error of its own for it
        if not is_memory_short(error):
            raise
        torch.cuda.empty_cache()
        cause = f' ({str(error).splitlines()[0]})' if str(error) else ''
        raise BackendError(f'not enough memory for {task}: {remedy}{cause}') from error


def is_memory_short(error: Exception) -> bool:
    """Whether an error of any library means that memory ran out."""
    if isinstance(error, BackendError):
        return False  # it says so already
    short = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    return short or any(words in str(error) for words in OUT_OF_MEMORY)
