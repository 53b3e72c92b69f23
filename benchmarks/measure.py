# SPDX-License-Identifier: Apache-2.0
"""Time and peak memory of networks on a CPU or a GPU: the same rules for every benchmark."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Callable
from pathlib import Path

import torch

Calls = dict[str, Callable[[], object]]


def fastest_in_turns(calls: Calls, repeats: int) -> dict[str, float]:
    """Milliseconds of the fastest of the repeats, by name; all have been called before."""
    ms = dict.fromkeys(calls, float('inf'))
    for _ in range(repeats):
        for name, call in calls.items():
            wait()
            start = time.perf_counter()
            call()
            wait()
            ms[name] = min(ms[name], 1e3 * (time.perf_counter() - start))
    return ms


def wait() -> None:
    """Until a GPU has done what was asked of it."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def peak_on_gpu(call: Callable[[], object]) -> float:
    """Megabytes that one call allocates above what was allocated before."""
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    call()
    wait()
    return (torch.cuda.max_memory_allocated() - before) / 1e6


def peak_resident(call: Callable[[], object]) -> float:
    """Megabytes that one call takes above what the process held; Linux keeps the high mark."""
    before = resident('VmRSS')
    Path('/proc/self/clear_refs').write_text('5')  # forget the high mark of loading
    call()
    return resident('VmHWM') - before


def resident(name: str) -> float:
    status = Path('/proc/self/status').read_text()
    return int(re.search(rf'{name}:\s+(\d+)', status).group(1)) / 1e3


def in_fresh_process(function: Callable[..., float], *job: object) -> float:
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        return pool.apply(function, job)
