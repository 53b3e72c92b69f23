# SPDX-License-Identifier: Apache-2.0
"""
Which pipeline runs a command, where there are several.

SharedPipelines: those of a process, for callers in many threads.
ServicePipelines: a service's own one and a guest beside it, for its one worker thread.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, Protocol, TypeVar

import torch

from vizion3d_ros.contracts.commands import AnnotationCommand, MonoCommand, StereoCommand
from vizion3d_ros.contracts.results import AnnotationResult, MonoResult, StereoResult

AnyCommand = TypeVar(
    'AnyCommand', bound=StereoCommand | MonoCommand | AnnotationCommand, contravariant=True
)
AnyResult = TypeVar(
    'AnyResult', bound=StereoResult | MonoResult | AnnotationResult, covariant=True
)


class Pipeline(Protocol[AnyCommand, AnyResult]):
    """A StereoPipeline, a MonoPipeline or an AnnotationPipeline."""

    device: torch.device

    def __init__(self, device: str) -> None:
        """Load nothing yet."""

    def run(self, command: AnyCommand) -> AnyResult:
        """Answer one command."""
        ...


class SharedPipelines(Generic[AnyCommand, AnyResult]):
    """
    The pipelines of a process: one per device and checkpoint, kept for as long as it lives.

    Threads that want the same one wait for each other, so that a model is loaded once however
    many ask for it first; threads that want different ones do not.
    """

    def __init__(self, make: Callable[[str], Pipeline[AnyCommand, AnyResult]]) -> None:
        """Make(device) gives a new pipeline; it must not load anything yet."""
        self._make = make
        self._lock = Lock()
        self._places: dict[tuple[str, str], tuple[Lock, Pipeline[AnyCommand, AnyResult]]] = {}

    def run(self, command: AnyCommand) -> AnyResult:
        """Run a command on the pipeline of its device and checkpoint, when that is free."""
        place = command.settings.device, command.settings.checkpoint
        with self._lock:
            if place not in self._places:
                self._places[place] = Lock(), self._make(command.settings.device)
            lock, pipeline = self._places[place]
        with lock:
            return pipeline.run(command)


class ServicePipelines(Generic[AnyCommand, AnyResult]):
    """
    The pipeline of a service, and another one for a checkpoint that a request chooses.

    The service's own stays loaded that way; of the others the last one is kept. One thread only.
    """

    def __init__(self, own: Pipeline[AnyCommand, AnyResult]) -> None:
        """own: loaded already, or with the first request."""
        self._own = own
        self._guest: dict[str, Pipeline[AnyCommand, AnyResult]] = {}  # one at most

    def run(self, command: AnyCommand, own_checkpoint: str) -> AnyResult:
        """Run a command; own_checkpoint: what the service runs anyway, '' if it needs none."""
        checkpoint = command.settings.checkpoint
        if checkpoint in ('', own_checkpoint):
            return self._own.run(command)
        if checkpoint not in self._guest:
            self._guest.clear()  # lets go of the memory first
            self._guest[checkpoint] = type(self._own)(str(self._own.device))
        return self._guest[checkpoint].run(command)
