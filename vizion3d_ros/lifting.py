# SPDX-License-Identifier: Apache-2.0
"""
Depth from one image in Python, with vizion3d's names, units and defaults.

    from vizion3d_ros.lifting import DepthEstimation, DepthEstimationCommand

    result = DepthEstimation().run(DepthEstimationCommand(image_input='scene.png'))

The same pipeline as the node's. Models stay in memory for as long as the process lives.
"""

from __future__ import annotations

import logging

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.metric_scale import ScaleFit, SparseDepth
from vizion3d_ros.contracts.mono_request import (
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.engine.device import choose_device
from vizion3d_ros.geometry.metric_scale.fit import fit_scale
from vizion3d_ros.geometry.metric_scale.samples import sample
from vizion3d_ros.pipeline.mono import MonoPipeline
from vizion3d_ros.requests.mono import DepthEstimationResult, answer_mono
from vizion3d_ros.requests.pipelines import SharedPipelines

__all__ = [
    'DepthEstimation',
    'DepthEstimationAdvanceConfig',
    'DepthEstimationCommand',
    'DepthEstimationResult',
    'ScaleFit',
    'SparseDepth',
    'fit_scale',
    'sample',
]

logger = logging.getLogger(__name__)
_pipelines = SharedPipelines(MonoPipeline)


class DepthEstimation:
    """Answers commands; safe to use from many threads, and cheap to make."""

    def __init__(self, device: str = 'auto') -> None:
        """Choose the device: auto (CUDA when there is one), cpu, cuda or cuda:N."""
        self._device = str(choose_device(device))

    def run(self, command: DepthEstimationCommand) -> DepthEstimationResult:
        """
        Answer one command; the first for a checkpoint loads it, and downloads it if need be.

        What its message says is logged as a warning.

        Raises InputError, which names the field, for an image that cannot be used, and
        BackendError if the checkpoint cannot be had or the network fails.
        """
        if not isinstance(command, DepthEstimationCommand):
            raise InputError(f'expected a DepthEstimationCommand, got {type(command).__name__}')
        answer = answer_mono(command, _pipelines.run, MonoSettings(device=self._device)).answer
        if answer.message:
            logger.warning(answer.message)
        return answer
