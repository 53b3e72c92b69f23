# SPDX-License-Identifier: Apache-2.0
"""
Depth from one image in Python, with vizion3d's names, units and defaults.

    from vizion3d_ros.lifting import DepthEstimation, DepthEstimationCommand

    result = DepthEstimation().run(DepthEstimationCommand(image_input='scene.png'))

The same pipeline as the node's. Models stay in memory for as long as the process lives.
"""

from __future__ import annotations

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
from vizion3d_ros.requests.lazy_views import LazyViews
from vizion3d_ros.requests.mono import MonoAnswer, mono_answer, prepare_mono
from vizion3d_ros.requests.pipelines import SharedPipelines
from vizion3d_ros.requests.threads import one_thread

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

_pipelines = SharedPipelines(MonoPipeline)


class DepthEstimationResult(LazyViews):
    """
    What DepthEstimation answers.

    is_metric: whether the checkpoint is a metric one (our addition). If it is not, depth_map and
    raw_depth are inverse depth of unknown scale, larger = nearer. If it is, they are metres, with
    0.0 for pixels without depth.
    min_depth, max_depth: of depth_map, over the valid pixels.
    backend_used: path of the checkpoint.
    raw_depth: float32 (H, W); None if return_raw_depth is False.
    metric_depth (our addition): float32 (H, W) metres, 0.0 = no depth, from a metric checkpoint
    or by sparse_points; None if neither gives it. The cloud is in metres if this is not None, and
    otherwise right in shape alone.
    scale_fit (our addition): what came of sparse_points; its scale is None and its reason says why
    if they do not fit. None without sparse_points and for metric checkpoints, which need none.
    point_cloud_scale: 1.0.

    Lists and open3d objects are made when they are first read.
    """

    def __init__(self, answer: MonoAnswer, with_raw_depth: bool) -> None:
        super().__init__(
            depth=answer.depth,
            min_depth=answer.min_depth,
            max_depth=answer.max_depth,
            backend_used=answer.backend_used,
            raw_depth=answer.depth if with_raw_depth else None,
            picture=answer.depth_image,
            points=answer.points,
        )
        self.is_metric = answer.is_metric
        self.metric_depth = answer.metric_depth_m
        self.scale_fit = answer.scale_fit

    def __repr__(self) -> str:
        height, width = self.depth.shape
        kind = 'metres' if self.is_metric else 'relative'
        return (
            f'DepthEstimationResult({width}x{height}, {self.min_depth:.3g} to '
            f'{self.max_depth:.3g} {kind}, {self.backend_used!r})'
        )


class DepthEstimation:
    """Answers commands; safe to use from many threads, and cheap to make."""

    def __init__(self, device: str = 'auto') -> None:
        """Choose the device: auto (CUDA when there is one), cpu, cuda or cuda:N."""
        self._device = str(choose_device(device))

    def run(self, command: DepthEstimationCommand) -> DepthEstimationResult:
        """
        Answer one command; the first for a checkpoint loads it, and downloads it if need be.

        Raises InputError, which names the field, for an image that cannot be used, and
        BackendError if the checkpoint cannot be had or the network fails.
        """
        if not isinstance(command, DepthEstimationCommand):
            raise InputError(f'expected a DepthEstimationCommand, got {type(command).__name__}')
        work = prepare_mono(command, MonoSettings(device=self._device))
        with one_thread():
            result = _pipelines.run(work)
            answer = mono_answer(command, work, result)
        return DepthEstimationResult(answer, command.return_raw_depth)
