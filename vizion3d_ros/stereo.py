# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from Python, with vizion3d's names, units and defaults.

    from vizion3d_ros.stereo import StereoDepth, StereoDepthCommand

    command = StereoDepthCommand(left_image='left.png', right_image='right.png')
    result = StereoDepth().run(command)

The same pipeline as the node's. Models stay in memory for as long as the process lives.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.contracts.stereo_request import StereoDepthAdvancedConfig, StereoDepthCommand
from vizion3d_ros.engine.device import choose_device
from vizion3d_ros.pipeline.stereo import StereoPipeline
from vizion3d_ros.requests.lazy_views import LazyViews
from vizion3d_ros.requests.shared import SharedPipelines
from vizion3d_ros.requests.stereo import StereoAnswer, prepare_stereo, stereo_answer
from vizion3d_ros.requests.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ['StereoDepth', 'StereoDepthAdvancedConfig', 'StereoDepthCommand', 'StereoDepthResult']

_pipelines = SharedPipelines(StereoPipeline)


class StereoDepthResult(LazyViews):
    """
    What StereoDepth answers; invalid pixels are 0.0.

    min_depth, max_depth: metres, over the valid pixels; 0.0 if there is none.
    backend_used: path of the checkpoint, or 'opencv-sgbm'.
    raw_depth: float32 (H, W) metres; None if return_raw_depth is False.
    depth_colormap: uint8 (H, W, 3) BGR (our addition); None unless asked for.
    point_cloud_scale: 1.0, as points are in metres.

    Lists and open3d objects are made when they are first read.
    """

    def __init__(self, answer: StereoAnswer, with_raw_depth: bool) -> None:
        super().__init__(answer.depth_m, answer.depth_image, answer.points)
        self._disparity = answer.disparity
        self.min_depth = answer.min_depth
        self.max_depth = answer.max_depth
        self.backend_used = answer.backend_used
        self.raw_depth = answer.depth_m if with_raw_depth else None
        self.depth_colormap: NDArray[np.uint8] | None = answer.depth_colormap

    @cached_property
    def disparity_map(self) -> list[list[float]]:
        """Pixels, x_left - x_right, [H][W]."""
        rows: list[list[float]] = self._disparity.tolist()
        return rows

    def __repr__(self) -> str:
        height, width = self._depth.shape
        return (
            f'StereoDepthResult({width}x{height}, {self.min_depth:.3g} to {self.max_depth:.3g} m, '
            f'{self.backend_used!r})'
        )


class StereoDepth:
    """Answers commands; safe to use from many threads, and cheap to make."""

    def __init__(self, device: str = 'auto') -> None:
        """Choose the device: auto (CUDA when there is one), cpu, cuda or cuda:N."""
        self._device = str(choose_device(device))

    def run(self, command: StereoDepthCommand) -> StereoDepthResult:
        """
        Answer one command; the first for a checkpoint loads it, and downloads it if need be.

        Raises InputError, which names the field, for images that cannot be used, and BackendError
        if the checkpoint cannot be had or the matcher fails.
        """
        if not isinstance(command, StereoDepthCommand):
            raise InputError(f'expected a StereoDepthCommand, got {type(command).__name__}')
        work = prepare_stereo(command, StereoSettings(device=self._device))
        settings = work.settings
        model = settings.s2m2.model_backend if settings.backend == 's2m2' else settings.backend
        with one_thread():
            with _pipelines.use(self._device, model) as pipeline:
                result = pipeline.run(work)
            answer = stereo_answer(command, work, result)
        return StereoDepthResult(answer, command.return_raw_depth)
