# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from Python, with vizion3d's names, units and defaults.

    from vizion3d_ros.stereo import StereoDepth, StereoDepthCommand

    command = StereoDepthCommand(left_image='left.png', right_image='right.png')
    result = StereoDepth().run(command)

The same pipeline as the node's. Models stay in memory for as long as the process lives.
"""

from __future__ import annotations

import logging

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.contracts.stereo_request import StereoDepthAdvancedConfig, StereoDepthCommand
from vizion3d_ros.engine.device import choose_device
from vizion3d_ros.pipeline.stereo import StereoPipeline
from vizion3d_ros.requests.pipelines import SharedPipelines
from vizion3d_ros.requests.stereo import StereoDepthResult, answer_stereo

__all__ = ['StereoDepth', 'StereoDepthAdvancedConfig', 'StereoDepthCommand', 'StereoDepthResult']

logger = logging.getLogger(__name__)
_pipelines = SharedPipelines(StereoPipeline)


class StereoDepth:
    """Answers commands; safe to use from many threads, and cheap to make."""

    def __init__(self, device: str = 'auto') -> None:
        """Choose the device: auto (CUDA when there is one), cpu, cuda or cuda:N."""
        self._device = str(choose_device(device))

    def run(self, command: StereoDepthCommand) -> StereoDepthResult:
        """
        Answer one command; the first for a checkpoint loads it, and downloads it if need be.

        What its message says is logged as a warning.

        Raises InputError, which names the field, for images that cannot be used, and BackendError
        if the checkpoint cannot be had or the matcher fails.
        """
        if not isinstance(command, StereoDepthCommand):
            raise InputError(f'expected a StereoDepthCommand, got {type(command).__name__}')
        answer = answer_stereo(command, _pipelines.run, StereoSettings(device=self._device)).answer
        if answer.message:
            logger.warning(answer.message)
        return answer
