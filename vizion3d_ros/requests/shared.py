# SPDX-License-Identifier: Apache-2.0
"""The pipelines of this process: one per device and model, made once, used by one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Pipeline = TypeVar('Pipeline')


class SharedPipelines(Generic[Pipeline]):
    """
    Pipelines by key, kept for as long as the process lives.

    Threads that want the same one wait for each other, so that a model is loaded once however
    many ask for it first; threads that want different ones do not.
    """

    def __init__(self, make: Callable[[str], Pipeline]) -> None:
        """Make(device) gives a new pipeline; it must not load anything yet."""
        self._make = make
        self._lock = threading.Lock()
        self._places: dict[tuple[str, str], tuple[threading.Lock, Pipeline]] = {}

    @contextmanager
    def use(self, device: str, model: str) -> Iterator[Pipeline]:
        """Have the pipeline of this device and model to oneself."""
        with self._lock:
            if (device, model) not in self._places:
                self._places[device, model] = threading.Lock(), self._make(device)
            lock, pipeline = self._places[device, model]
        with lock:
            yield pipeline
