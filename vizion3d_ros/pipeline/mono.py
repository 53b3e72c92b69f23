# SPDX-License-Identifier: Apache-2.0
"""
One image in; relative or metric depth and points out.

    command ─ network (engine) ─┬─ metric checkpoint ─────────────┬─ depth ─ points
                                └─ relative ─ scale, if there is ─┘

A relative answer without a scale stays relative: nothing in it is ever called depth.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.commands import MonoCommand, Output
from vizion3d_ros.contracts.metric_scale import ScaleUsed
from vizion3d_ros.contracts.results import Cloud, MonoResult
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.engine.backend import MonoBackend
from vizion3d_ros.engine.device import StageTimes, choose_device, enough_memory
from vizion3d_ros.engine.registry import load_mono_backend
from vizion3d_ros.geometry.inverse_depth import depth_from_relative, within
from vizion3d_ros.geometry.metric_scale.fit import fit_image
from vizion3d_ros.geometry.reprojection import make_cloud
from vizion3d_ros.geometry.uncertainty import mono_deviation

REMEDY = 'send smaller images, or end other programs'
WARM_UP = Intrinsics.from_field_of_view(84, 56, hfov_deg=60)


class Scaler(Protocol):
    """Finds the scale of a relative answer, by this image alone or knowing those before it."""

    def __call__(self, relative: torch.Tensor, command: MonoCommand, /) -> ScaleUsed:
        """
        Say by which scale the answer to a command becomes metric, or why by none.

        relative: float32 (H, W) on any device, inverse depth up to scale and shift.
        """
        ...


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

    def run(self, command: MonoCommand, scaler: Scaler = fit_image) -> MonoResult:
        """
        Answer one command. Raises BackendError when the network fails or memory runs out.

        scaler: asked for the scale of a relative answer, if something metric is to be made of it.
        """
        height, width = command.image.shape[:2]
        with enough_memory(f'{command.settings.backend} at {width}x{height}', REMEDY):
            return self._run(command, scaler)

    @torch.inference_mode()
    def _run(self, command: MonoCommand, scaler: Scaler) -> MonoResult:
        times = StageTimes(self.device)
        estimate = self.backend(command.settings.backend).estimate(command.image, command.settings)
        times.end('estimate')
        values = torch.as_tensor(estimate.values, device=self.device)
        unscaled = estimate.metric or not command.outputs
        scale = None if unscaled else scaler(values, command)
        depth_m = _depth(values, estimate.metric, scale, command.settings)
        cloud = self._cloud(command, depth_m, scale)
        times.end('geometry')
        return MonoResult(
            relative=None if estimate.metric else values,
            depth_m=depth_m,
            cloud=cloud,
            backend_used=estimate.backend_used,
            checkpoint=estimate.checkpoint,
            licence=estimate.licence,
            timings_ms=times.read_ms(),
            scale=scale,
        )

    def _cloud(
        self, command: MonoCommand, depth_m: torch.Tensor | None, scale: ScaleUsed | None
    ) -> Cloud | None:
        wanted = Output.CLOUD in command.outputs
        if depth_m is None or command.camera is None or not wanted:
            return None
        asked = command.settings.points
        deviation = mono_deviation(depth_m, scale) if asked.uncertainty else None
        points = make_cloud(depth_m, command.image, command.camera, asked, deviation=deviation)
        return Cloud(points)


def _depth(
    values: torch.Tensor, metric: bool, used: ScaleUsed | None, settings: MonoSettings
) -> torch.Tensor | None:
    """Metres within the limits, float32 (H, W); None for a relative map without a scale."""
    if metric:
        return within(values, settings.min_depth, settings.max_depth)
    if used is None or used.scale is None:
        return None
    depth_m = depth_from_relative(values, used.scale)
    return within(depth_m, settings.min_depth, settings.max_depth)
