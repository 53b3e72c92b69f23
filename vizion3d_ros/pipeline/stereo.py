# SPDX-License-Identifier: Apache-2.0
"""
One rectified pair in; disparity, depth and points out.

    command ─ matcher (engine) ─ + doffs ─ disparity ─┬─ depth
                                                      └─ points
"""

from __future__ import annotations

import numpy as np
import torch

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.commands import Output, StereoCommand
from vizion3d_ros.contracts.results import Cloud, StereoResult
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.engine.backend import StereoBackend
from vizion3d_ros.engine.device import StageTimes, choose_device, enough_memory
from vizion3d_ros.engine.registry import load_stereo_backend
from vizion3d_ros.geometry.reprojection import (
    correct_disparity,
    depth_from_disparity,
    make_cloud,
    scored_at_least,
)
from vizion3d_ros.geometry.uncertainty import stereo_deviation

REMEDY = 'send smaller images, or end other programs'


class StereoPipeline:
    """Runs commands one after another on one device; not for use from two threads at once."""

    def __init__(self, device: str = 'auto') -> None:
        """Choose the device: auto (CUDA when there is one), cpu, cuda or cuda:N."""
        self.device = choose_device(device)
        self._backends: dict[str, StereoBackend] = {}

    def backend(self, name: str) -> StereoBackend:
        """Return the matcher of this name, loading it the first time; BackendError if it can't."""
        if name not in self._backends:
            self._backends[name] = load_stereo_backend(name)
        return self._backends[name]

    def warm_up(self, settings: StereoSettings) -> None:
        """Load the matcher and run a small made-up pair, so that the first real one is fast."""
        # Wide enough for any search range, flat enough to be quick.
        rig = StereoRig.from_field_of_view(2048, 32, hfov_deg=60, baseline_m=0.001)
        pair = np.random.default_rng(0).integers(0, 255, (2, 32, 2048, 3), dtype=np.uint8)
        outputs = frozenset(Output)
        self.run(
            StereoCommand(left=pair[0], right=pair[1], rig=rig, settings=settings, outputs=outputs)
        )

    def run(self, command: StereoCommand) -> StereoResult:
        """Answer one command. Raises BackendError when the matcher fails or memory runs out."""
        left = command.rig.left
        with enough_memory(f'{command.settings.backend} at {left.width}x{left.height}', REMEDY):
            return self._run(command)

    @torch.inference_mode()
    def _run(self, command: StereoCommand) -> StereoResult:
        times = StageTimes(self.device)
        rig, settings = command.rig, command.settings
        match = self.backend(settings.backend).match(command.left, command.right, rig, settings)
        times.end('match')
        min_disparity = max(match.min_disparity + rig.doffs, match.step)
        disparity = correct_disparity(
            torch.as_tensor(match.disparity, device=self.device), rig.doffs, min_disparity
        )
        confidence = torch.as_tensor(match.confidence, device=self.device)
        if settings.min_confidence > 0:
            disparity = scored_at_least(disparity, confidence, settings.min_confidence)
        depth_m = self._depth(command, disparity)
        visibility = torch.as_tensor(match.visibility, device=self.device)
        cloud = self._cloud(command, depth_m, confidence, visibility, match.calibrated)
        times.end('geometry')
        return StereoResult(
            rig=rig,
            disparity=disparity,
            confidence=confidence,
            visibility=visibility,
            depth_m=depth_m,
            cloud=cloud,
            min_disparity=min_disparity,
            max_disparity=max(match.max_disparity + rig.doffs, min_disparity),
            disparity_step=match.step,
            backend_used=match.backend_used,
            checkpoint=match.checkpoint,
            licence=match.licence,
            timings_ms=times.read_ms(),
            calibrated=match.calibrated,
        )

    def _depth(self, command: StereoCommand, disparity: torch.Tensor) -> torch.Tensor | None:
        focal_baseline = command.rig.focal_baseline
        if focal_baseline is None or not command.outputs:
            return None
        return depth_from_disparity(disparity, focal_baseline)

    def _cloud(
        self,
        command: StereoCommand,
        depth_m: torch.Tensor | None,
        confidence: torch.Tensor,
        visibility: torch.Tensor,
        calibrated: bool,
    ) -> Cloud | None:
        focal_baseline, asked = command.rig.focal_baseline, command.settings.points
        if depth_m is None or focal_baseline is None or Output.CLOUD not in command.outputs:
            return None
        known = asked.uncertainty and calibrated
        points = make_cloud(
            depth_m,
            command.left,
            command.rig.left,
            asked,
            confidence=confidence,
            visibility=visibility,
            deviation=stereo_deviation(depth_m, confidence, focal_baseline) if known else None,
        )
        return Cloud(points)
