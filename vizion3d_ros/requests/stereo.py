# SPDX-License-Identifier: Apache-2.0
"""
A vizion3d stereo request to a command of the pipeline, and its result to the answer.

    request ─ prepare_stereo ─ StereoCommand ─ StereoPipeline.run ─ StereoResult ─ answer
    └──────────────────────────────── answer_stereo ────────────────────────────────────┘

Depth is made by the pipeline alone; here only its units and its "no measurement" change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vizion3d_ros.contracts.camera import MM_PER_METRE, StereoRig
from vizion3d_ros.contracts.commands import Output, StereoCommand
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.results import StereoResult
from vizion3d_ros.contracts.settings.node_settings import PointsSettings
from vizion3d_ros.contracts.settings.onnx_settings import is_onnx
from vizion3d_ros.contracts.settings.stereo_settings import (
    S2m2Settings,
    SgbmSettings,
    StereoSettings,
)
from vizion3d_ros.contracts.stereo_request import (
    OPENCV_SGBM,
    StereoDepthAdvancedConfig,
    StereoDepthCommand,
)
from vizion3d_ros.engine.device import enough_memory
from vizion3d_ros.files.picture import GENEROUS, PictureLimits
from vizion3d_ros.geometry.colormap import colorize
from vizion3d_ros.geometry.picture16 import picture_of_depth
from vizion3d_ros.geometry.uncertainty import depth_uncertainty
from vizion3d_ros.requests import ANY_DEPTH_M, OF_REQUEST
from vizion3d_ros.requests.checkpoints import with_checkpoint
from vizion3d_ros.requests.known_camera import fitting_rig
from vizion3d_ros.requests.lazy_views import LazyViews
from vizion3d_ros.requests.maps import span, to_array, without_nan
from vizion3d_ros.requests.pictures import read_pair
from vizion3d_ros.requests.stereo_rig import check_depths, explain_answer, rig_of
from vizion3d_ros.requests.threads import one_thread

SMALLEST_SCALE = 0.1  # of semi-global matching
LIKE_SGBM = ('sgbm', 'opencv', OPENCV_SGBM)  # what is written for it
NETWORK_SIDE = (64, 8192)  # least and most for the size that a network may be limited to

DEFAULTS = StereoSettings()


@dataclass(eq=False, repr=False, kw_only=True)
class StereoDepthResult(LazyViews):
    """
    What a stereo request gets; invalid pixels are 0.0.

    min_depth, max_depth: metres, over the valid pixels; 0.0 if there is none.
    backend_used: path of the checkpoint, or 'opencv-sgbm'.
    raw_depth: float32 (H, W) metres; None if return_raw_depth is False.
    depth_colormap: uint8 (H, W, 3) BGR (our addition); None unless asked for.
    point_cloud_scale: 1.0, as points are in metres.

    Lists and open3d objects are made when they are first read; the arrays behind them (our
    additions) are depth, disparity, picture and points. disparity: float32 (H, W) pixels,
    x_left - x_right as in the images, so before doffs. result: what the pipeline gave, tensors
    on its device.
    """

    disparity: NDArray[np.float32]
    depth_colormap: NDArray[np.uint8] | None = None
    result: StereoResult | None = None

    @cached_property
    def depth_uncertainty(self) -> NDArray[np.float32] | None:
        """
        One standard deviation of the depth (our addition): float32 (H, W) metres, 0.0 = no depth.

        None of S2M2, whose confidence is not calibrated.
        """
        deviation = None if self.result is None else depth_uncertainty(self.result)
        return None if deviation is None else without_nan(deviation)

    @cached_property
    def disparity_map(self) -> list[list[float]]:
        """Pixels, x_left - x_right, [H][W]."""
        rows: list[list[float]] = self.disparity.tolist()
        return rows

    def __repr__(self) -> str:
        height, width = self.depth.shape
        return (
            f'StereoDepthResult({width}x{height}, {self.min_depth:.3g} to {self.max_depth:.3g} m, '
            f'{self.backend_used!r})'
        )


@dataclass(frozen=True, slots=True)
class StereoRun:
    """
    A request that has come all the way: what the pipeline was told, what it found, the answer.

    seconds: from reading the images to the last array.
    """

    command: StereoCommand
    result: StereoResult
    answer: StereoDepthResult
    seconds: float


@enough_memory(*OF_REQUEST)
def answer_stereo(
    request: StereoDepthCommand,
    run: Callable[[StereoCommand], StereoResult],
    base: StereoSettings = DEFAULTS,
    limits: PictureLimits = GENEROUS,
    known: StereoRig | None = None,
) -> StereoRun:
    """
    Answer one request; every door calls this, from any thread.

    run: that of a pipeline, or of SharedPipelines or ServicePipelines, which choose one; it sees
    to it that one thread at a time has the pipeline. base: settings for all that the request
    leaves open. limits: of its images. known: the rig that stands for a calibration left out, if
    images of its size come. Raises InputError, which names the field, for images that
    cannot be used, and BackendError if the checkpoint cannot be had or the matcher fails.
    """
    started = time.perf_counter()
    command = prepare_stereo(request, base, limits, known)
    with one_thread():
        result = run(command)
        answer = _answer(request, command, result)
        answer.message = explain_answer(request, command, result, known)
    return StereoRun(command, result, answer, time.perf_counter() - started)


def prepare_stereo(
    request: StereoDepthCommand,
    base: StereoSettings = DEFAULTS,
    limits: PictureLimits = GENEROUS,
    known: StereoRig | None = None,
) -> StereoCommand:
    """
    Read the images and say what the pipeline is to do.

    base, known: for what the request leaves open. Raises InputError, which names the field, also
    for a baseline that no rig has and for depths that this one cannot tell apart.
    """
    left, right = read_pair(request.left_image, request.right_image, limits)
    height, width = left.shape[:2]
    config = request.advanced_config
    rig = fitting_rig(known, config, width, height) or rig_of(config, width, height)
    settings = _settings(request, base, width, height)
    check_depths(rig, settings)
    return StereoCommand(
        left=left,
        right=right,
        rig=rig,
        settings=settings,
        outputs=_outputs(request),
    )


@torch.inference_mode()
def _answer(
    request: StereoDepthCommand, command: StereoCommand, result: StereoResult
) -> StereoDepthResult:
    """Turn what the pipeline made of the command into what the request asks for."""
    depth_m = cast('Tensor', result.depth_m)  # a request always has a baseline
    low, high = span(depth_m)
    depth = without_nan(depth_m)
    colors = _colormap(request, depth_m, low, high) if request.return_depth_colormap else None
    picture = picture_of_depth(depth_m, low, high) if request.return_depth_image else None
    return StereoDepthResult(
        depth=depth,
        disparity=without_nan(result.disparity - result.rig.doffs),
        min_depth=low,
        max_depth=high,
        backend_used=_backend_used(command.settings, result),
        raw_depth=depth if request.return_raw_depth else None,
        picture=None if picture is None else to_array(picture),
        depth_colormap=None if colors is None else to_array(colors),
        points=to_array(result.cloud.points) if result.cloud else None,
        result=result,
    )


def _outputs(request: StereoDepthCommand) -> frozenset[Output]:
    return frozenset(Output) if request.return_point_cloud else frozenset({Output.DEPTH})


def _settings(
    request: StereoDepthCommand, base: StereoSettings, width: int, height: int
) -> StereoSettings:
    config, model = request.advanced_config, request.model_backend
    if model != OPENCV_SGBM and model.lower().replace('_', '-') in LIKE_SGBM:
        raise InputError(f'model_backend: got {model!r}, did you mean {OPENCV_SGBM!r}?')
    network = 'onnx' if is_onnx(model) else 's2m2'
    backend = {'': base.backend, OPENCV_SGBM: 'sgbm'}.get(model, network)
    if backend == 'sgbm':
        matcher: dict[str, Any] = {'sgbm': _sgbm(config, base.sgbm)}
    elif backend == 'onnx':
        matcher = {'onnx': with_checkpoint(base.onnx, model, profile=base.onnx.profile_of_others)}
    else:
        matcher = {'s2m2': _s2m2(config, with_checkpoint(base.s2m2, model), width, height)}
    near, far = _searched(config, base if backend == 'sgbm' else None)
    changes = {'backend': backend, 'points': _points(config), 'min_depth': near, 'max_depth': far}
    return StereoSettings(**{**dict(base), **changes, **matcher})


def _searched(
    config: StereoDepthAdvancedConfig, base: StereoSettings | None
) -> tuple[float, float]:
    """Nearest and farthest depth in metres; without base, any depth but for what is given."""
    near, far = (base.min_depth, base.max_depth) if base else ANY_DEPTH_M
    if config.min_depth_mm is not None:
        near = config.min_depth_mm / MM_PER_METRE
    if config.max_depth_mm is not None:
        far = config.max_depth_mm / MM_PER_METRE
    if far <= near:  # one of them is given, and the other one is the server's
        raise InputError(
            f'advanced_config: max_depth_mm must be larger than min_depth_mm, got '
            f'{far * MM_PER_METRE:g} and {near * MM_PER_METRE:g}: give both'
        )
    return near, far


def _sgbm(config: StereoDepthAdvancedConfig, base: SgbmSettings) -> SgbmSettings:
    changes: dict[str, object] = {}
    if config.scale_factor is not None:
        changes['scale'] = max(SMALLEST_SCALE, config.scale_factor)
    if config.min_depth_mm is not None or config.max_depth_mm is not None:
        changes['disparity_range'] = 0  # depths were given, so they decide
    return base.model_copy(update=changes)


def _s2m2(
    config: StereoDepthAdvancedConfig, base: S2m2Settings, width: int, height: int
) -> S2m2Settings:
    if config.scale_factor is None:
        return base
    least, most = NETWORK_SIDE
    sides = (round(config.scale_factor * side) for side in (width, height))
    max_width, max_height = (min(max(side, least), most) for side in sides)
    return base.model_copy(update={'max_width': max_width, 'max_height': max_height})


def _points(config: StereoDepthAdvancedConfig) -> PointsSettings:
    far = config.z_far if config.z_far < ANY_DEPTH_M[1] else 0.0  # 0 = keep
    return PointsSettings(
        organized=False,
        max_range=far,
        min_confidence=config.conf_threshold,
        min_visibility=config.occ_threshold,
    )


def _backend_used(settings: StereoSettings, result: StereoResult) -> str:
    return OPENCV_SGBM if settings.backend == 'sgbm' else result.checkpoint


def _colormap(request: StereoDepthCommand, depth_m: Tensor, low: float, high: float) -> Tensor:
    """Colour the depths from nearest to farthest: as given, else those of this answer."""
    config = request.advanced_config
    near = low if config.min_depth_mm is None else config.min_depth_mm / MM_PER_METRE
    far = high if config.max_depth_mm is None else config.max_depth_mm / MM_PER_METRE
    return colorize(depth_m, near, far)
