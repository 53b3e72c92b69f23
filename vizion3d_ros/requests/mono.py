# SPDX-License-Identifier: Apache-2.0
"""
A vizion3d request for one image to a command of the pipeline, and its result to the answer.

    request ─ prepare_mono ─ MonoCommand ─ MonoPipeline.run ─ MonoResult ─ answer
    └────────────────────────────── answer_mono ────────────────────────────────┘

A relative answer stays relative, unless the request brings measured depths that fit it; its cloud
is spread over a range that the request names.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.commands import MonoCommand, Output
from vizion3d_ros.contracts.metric_scale import ScaleFit, SparseDepth
from vizion3d_ros.contracts.mono_request import (
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)
from vizion3d_ros.contracts.results import MonoResult
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.contracts.settings.node_settings import NetworkSettings, PointsSettings
from vizion3d_ros.contracts.settings.onnx_settings import is_onnx
from vizion3d_ros.diagnosis.mono_doctor import explain_image
from vizion3d_ros.engine.device import enough_memory
from vizion3d_ros.files.picture import GENEROUS, PictureLimits
from vizion3d_ros.geometry.inverse_depth import spread_relative
from vizion3d_ros.geometry.metric_scale.sparse_depth import from_pixels
from vizion3d_ros.geometry.picture16 import picture_of_depth, picture_of_inverse_depth
from vizion3d_ros.geometry.reprojection import make_cloud
from vizion3d_ros.requests import ANY_DEPTH_M, OF_REQUEST
from vizion3d_ros.requests.checkpoints import with_checkpoint
from vizion3d_ros.requests.known_camera import (
    camera_of,
    check_asked,
    fitting_camera,
    note_on_camera,
)
from vizion3d_ros.requests.lazy_views import LazyViews
from vizion3d_ros.requests.maps import span, to_array, without_nan
from vizion3d_ros.requests.pictures import read_image
from vizion3d_ros.requests.threads import one_thread

DEFAULTS = MonoSettings()
EVERY_POINT = PointsSettings(organized=False)


@dataclass(eq=False, repr=False, kw_only=True)
class DepthEstimationResult(LazyViews):
    """
    What a request for one image gets.

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

    Lists and open3d objects are made when they are first read; depth, picture and points (our
    additions) are the arrays behind them.
    """

    is_metric: bool
    metric_depth: NDArray[np.float32] | None = None
    scale_fit: ScaleFit | None = None

    def __repr__(self) -> str:
        height, width = self.depth.shape
        kind = 'metres' if self.is_metric else 'relative'
        return (
            f'DepthEstimationResult({width}x{height}, {self.min_depth:.3g} to '
            f'{self.max_depth:.3g} {kind}, {self.backend_used!r})'
        )


@dataclass(frozen=True, slots=True)
class MonoRun:
    """A request that has come all the way, as StereoRun says."""

    command: MonoCommand
    result: MonoResult
    answer: DepthEstimationResult
    seconds: float


@enough_memory(*OF_REQUEST)
def answer_mono(
    request: DepthEstimationCommand,
    run: Callable[[MonoCommand], MonoResult],
    base: MonoSettings = DEFAULTS,
    limits: PictureLimits = GENEROUS,
    known: Intrinsics | None = None,
) -> MonoRun:
    """
    Answer one request; every door calls this, from any thread, as it does answer_stereo.

    Raises InputError, which names the field, for an image that cannot be used, and BackendError
    if the checkpoint cannot be had or the network fails.
    """
    started = time.perf_counter()
    command = prepare_mono(request, base, limits, known)
    with one_thread():
        result = run(command)
        answer = _answer(request, command, result)
        answer.message = _explain(request, command, answer, known)
    return MonoRun(command, result, answer, time.perf_counter() - started)


def prepare_mono(
    request: DepthEstimationCommand,
    base: MonoSettings = DEFAULTS,
    limits: PictureLimits = GENEROUS,
    known: Intrinsics | None = None,
) -> MonoCommand:
    """
    Read the image and say what the pipeline is to do.

    base, known: for what the request leaves open. Raises InputError, which names the field.
    """
    image = read_image(request.image_input, 'image_input', limits)
    height, width = image.shape[:2]
    config = request.advanced_config
    return MonoCommand(
        image=image,
        camera=fitting_camera(known, config, width, height) or _camera(config, width, height),
        settings=_settings(request, base),
        sparse_depth=_sparse_depth(request, width, height),
        outputs=frozenset(Output) if request.return_point_cloud else frozenset({Output.DEPTH}),
    )


def _explain(
    request: DepthEstimationCommand,
    command: MonoCommand,
    answer: DepthEstimationResult,
    known: Intrinsics | None,
) -> str:
    """Say what makes the answer doubtful, and what was assumed; '' if there is nothing to say."""
    notes = [explain_image(command.image)]
    if request.return_point_cloud and command.camera is not None:
        notes.append(note_on_camera(request.advanced_config, command.camera, known))
    if answer.points is not None and not len(answer.points) and answer.depth.any():
        far = request.advanced_config.depth_trunc
        notes.append(f'the cloud is empty: no pixel has a depth below depth_trunc {far:g} m')
    return '; '.join(filter(None, notes))


@torch.inference_mode()
def _answer(
    request: DepthEstimationCommand, command: MonoCommand, result: MonoResult
) -> DepthEstimationResult:
    """Turn what the pipeline made of the command into what the request asks for."""
    is_metric = result.relative is None
    values = cast('Tensor', result.depth_m if is_metric else result.relative)
    low, high = span(values)
    depth = without_nan(values)
    picture = picture_of_depth if is_metric else picture_of_inverse_depth
    points = _points(request, command, result) if request.return_point_cloud else None
    return DepthEstimationResult(
        depth=depth,
        is_metric=is_metric,
        min_depth=low,
        max_depth=high,
        backend_used=result.checkpoint,
        raw_depth=depth if request.return_raw_depth else None,
        picture=to_array(picture(values, low, high)) if request.return_depth_image else None,
        points=None if points is None else to_array(points),
        metric_depth=None if result.depth_m is None else without_nan(result.depth_m),
        scale_fit=result.scale.fit if result.scale else None,
    )


def _sparse_depth(request: DepthEstimationCommand, width: int, height: int) -> SparseDepth | None:
    points = request.sparse_points
    return None if points is None else from_pixels(points, width, height)


def _points(
    request: DepthEstimationCommand, command: MonoCommand, result: MonoResult
) -> Tensor | None:
    if result.cloud or result.relative is None:
        return result.cloud.points if result.cloud else None
    depth = spread_relative(result.relative, request.advanced_config.depth_trunc)
    return make_cloud(depth, command.image, cast('Intrinsics', command.camera), EVERY_POINT)


def _camera(config: DepthEstimationAdvanceConfig, width: int, height: int) -> Intrinsics:
    camera = camera_of(config, width, height)
    check_asked(config, camera)
    return camera


def _settings(request: DepthEstimationCommand, base: MonoSettings) -> MonoSettings:
    near, far = ANY_DEPTH_M
    model = request.model_backend
    backend = ('onnx' if is_onnx(model) else 'depth_anything_v2') if model else base.backend
    network: NetworkSettings
    if backend == 'onnx':
        network = with_checkpoint(base.onnx, model, profile=base.onnx.profile_of_others)
    else:
        network = with_checkpoint(base.depth_anything_v2, model, metric_max_depth=0.0)
    points = PointsSettings(organized=False, max_range=request.advanced_config.depth_trunc)
    changes = {'min_depth': near, 'max_depth': far, 'points': points}
    return MonoSettings(**{**dict(base), **changes, 'backend': backend, backend: network})
