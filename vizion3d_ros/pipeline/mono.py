# SPDX-License-Identifier: Apache-2.0
"""
One image in; relative or metric depth and points out.

    command ─ network (engine) ─┬─ metric checkpoint ────────────────────┬─ depth ─ points
                                └─ relative ─ scale_of, if there is one ─┘

A relative answer without a scale stays relative: nothing in it is ever called depth.
"""

from __future__ import annotations

import numpy as np
import torch

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.commands import MonoCommand, Output
from vizion3d_ros.contracts.results import Cloud, Estimate, MonoResult
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.engine.backend import MonoBackend
from vizion3d_ros.engine.device import choose_device, clock
from vizion3d_ros.engine.registry import load_mono_backend
from vizion3d_ros.geometry.cloud import make_cloud
from vizion3d_ros.geometry.inverse_depth import depth_from_relative, within

WARM_UP = Intrinsics.from_field_of_view(84, 56, hfov_deg=60)


class MonoPipeline:
    """Runs commands one after another on one device; not for use from two threads at once."""

    def __init__(self, device: str = 'auto') -> None:
        """Choose the device: auto (CUDA when there is one), cpu, cuda or cuda:N."""
        self.device = choose_device(device)
        self._backends: dict[str, MonoBackend] = {}

    def backend(self, name: str) -> MonoBackend:
        """Return the network of this name, making it the first time; BackendError if it can't."""
        if name not in self._backends:
            self._backends[name] = load_mono_backend(name)
        return self._backends[name]

    def warm_up(self, settings: MonoSettings) -> None:
        """Load the network and run a small made-up image, so that the first real one is fast."""
        image = np.zeros((WARM_UP.height, WARM_UP.width, 3), np.uint8)
        self.run(MonoCommand(image=image, camera=WARM_UP, settings=settings))

    @torch.inference_mode()
    def run(self, command: MonoCommand) -> MonoResult:
        """Answer one command. Raises BackendError when the network fails."""
        started = clock(self.device)
        estimate = self.backend(command.settings.backend).estimate(command.image, command.settings)
        estimated = clock(self.device)
        values = torch.as_tensor(estimate.values, device=self.device)
        depth_m = self._depth(command, estimate, values)
        cloud = self._cloud(command, depth_m)
        finished = clock(self.device)
        return MonoResult(
            relative=None if estimate.metric else values,
            depth_m=depth_m,
            cloud=cloud,
            backend_used=estimate.backend_used,
            checkpoint=estimate.checkpoint,
            timings_ms={
                'estimate': 1e3 * (estimated - started),
                'geometry': 1e3 * (finished - estimated),
            },
        )

    def _depth(
        self, command: MonoCommand, estimate: Estimate, values: torch.Tensor
    ) -> torch.Tensor | None:
        limits = command.settings.min_depth, command.settings.max_depth
        if estimate.metric:
            return within(values, *limits)
        scale = command.scale_of(values) if command.scale_of else None
        return None if scale is None else within(depth_from_relative(values, scale), *limits)

    def _cloud(self, command: MonoCommand, depth_m: torch.Tensor | None) -> Cloud | None:
        wanted = Output.CLOUD in command.outputs
        if depth_m is None or command.camera is None or not wanted:
            return None
        image = torch.as_tensor(command.image, device=self.device)
        settings = command.settings.points
        return Cloud(make_cloud(depth_m, image, command.camera, settings))
