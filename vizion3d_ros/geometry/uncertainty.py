# SPDX-License-Identifier: Apache-2.0
"""
How far off a depth may be: one standard deviation of every pixel, in metres.

Stereo: sigma_Z = Z^2 / (f * B) * sigma_d, the derivative of Z = f * B / d. sigma_d comes of the
odds of an error, (1 - c) / c, where the confidence c is the probability of an error below 1 px.
Mono: the fit to sparse depth leaves relative errors, and sigma_Z is their share of Z.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vizion3d_ros.contracts.metric_scale import ScaleUsed
from vizion3d_ros.contracts.results import MonoResult, StereoResult
from vizion3d_ros.geometry.metric_scale.fit import DEVIATION

if TYPE_CHECKING:
    from torch import Tensor

# Pixels, fitted on five public pairs in all presets (benchmarks/uncertainty.py). Errors have
# heavy tails: no normal distribution has their 68 % and their 95 %, so the numbers lie between
# those that leave the one within 1 deviation and the other within 2.
LEAST_PX = 0.16
PX_PER_ODDS = 2.6
LEAST_CONFIDENCE = 0.01


def disparity_deviation(confidence: Tensor) -> Tensor:
    """
    Pixels that hold about 68 % of the errors, twice as many 95 %: float32 (H, W).

    confidence: float32 (H, W) in 0..1, the probability of an error below 1 px.
    """
    odds = confidence.clamp(min=LEAST_CONFIDENCE).reciprocal_().sub_(1)
    return odds.mul_(PX_PER_ODDS).add_(LEAST_PX)


def stereo_deviation(depth_m: Tensor, confidence: Tensor, focal_baseline: float) -> Tensor:
    """
    One standard deviation of depth_m: float32 (H, W) metres, NaN where the depth is.

    focal_baseline: pixels * metres; confidence as in disparity_deviation.
    """
    return disparity_deviation(confidence).mul_(depth_m.square()).div_(focal_baseline)


def mono_deviation(depth_m: Tensor, used: ScaleUsed | None) -> Tensor | None:
    """
    The same of depth that was scaled by sparse depth; None of others.

    depth_m: float32 (H, W) metres, of which the fit to sparse depth leaves a share.
    """
    fit = used.fit if used else None
    return None if fit is None else depth_m * (DEVIATION * fit.residual)


def depth_uncertainty(result: StereoResult | MonoResult) -> Tensor | None:
    """
    One standard deviation of depth_m: float32 (H, W) metres, NaN where the depth is.

    None without depth, and where nothing is known of the errors: of a network whose confidence
    is not calibrated, and of a metric checkpoint.
    """
    depth_m = result.depth_m
    if depth_m is None:
        return None
    if isinstance(result, MonoResult):
        return mono_deviation(depth_m, result.scale)
    focal_baseline = result.rig.focal_baseline
    if focal_baseline is None or not result.calibrated:
        return None
    return stereo_deviation(depth_m, result.confidence, focal_baseline)
