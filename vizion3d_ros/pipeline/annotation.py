# SPDX-License-Identifier: Apache-2.0
"""
A cloud and an image in; for each point the object that it belongs to out.

    command ─ segmenter (engine), unless the objects are known ─ assign (geometry) ─ labels
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch

from vizion3d_ros.contracts.annotation.instances import Segmentation
from vizion3d_ros.contracts.commands import AnnotationCommand
from vizion3d_ros.contracts.results import AnnotationResult
from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings
from vizion3d_ros.engine.backend import Segmenter
from vizion3d_ros.engine.device import StageTimes, choose_device, enough_memory
from vizion3d_ros.engine.registry import load_segmenter
from vizion3d_ros.engine.segmenters.choice import segmenter_of
from vizion3d_ros.geometry.annotation.assign import assign

REMEDY = 'send smaller clouds and images, or end other programs'
WARM_UP_PX = 64


class AnnotationPipeline:
    """Runs commands one after another on one device; not for use from two threads at once."""

    def __init__(self, device: str = 'auto') -> None:
        """Choose the device: auto (CUDA when there is one), cpu, cuda or cuda:N."""
        self.device = choose_device(device)
        self._segmenters: dict[str, Segmenter] = {}

    def segmenter(self, model: str) -> Segmenter:
        """Return the one that a model is for, making it the first time; BackendError if none."""
        name = segmenter_of(model)
        if name not in self._segmenters:
            self._segmenters[name] = load_segmenter(name)
        return self._segmenters[name]

    def warm_up(self, settings: AnnotationSettings) -> None:
        """Load the segmenter and look at a small black image."""
        image = np.zeros((WARM_UP_PX, WARM_UP_PX, 3), np.uint8)
        self.segmenter(settings.model_backend).segment(image, settings)

    def run(self, command: AnnotationCommand) -> AnnotationResult:
        """Answer one command. Raises BackendError when the segmenter fails or memory runs out."""
        task = f'{command.points.size // 3} points'
        with enough_memory(task, REMEDY):
            return self._run(command)

    @torch.inference_mode()
    def _run(self, command: AnnotationCommand) -> AnnotationResult:
        times = StageTimes(self.device)
        found = command.objects or self._segmented(command)
        times.end('segment')
        instances = tuple(sorted(found.instances, key=lambda each: -each.confidence))
        points = torch.as_tensor(command.points.reshape(-1, 3), device=self.device)
        assigned = assign(points, command.camera, instances, command.settings.surface)
        times.end('geometry')
        return AnnotationResult(
            instances=instances,
            labels=assigned.labels,
            depth_noise=assigned.noise,
            backend_used=found.backend_used,
            checkpoint=found.checkpoint,
            licence=found.licence,
            timings_ms=times.read_ms(),
        )

    def _segmented(self, command: AnnotationCommand) -> Segmentation:
        image = cast('np.ndarray', command.image)
        segmenter = self.segmenter(command.settings.model_backend)
        return segmenter.segment(image, command.settings)
