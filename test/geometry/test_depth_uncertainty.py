# SPDX-License-Identifier: Apache-2.0
"""Standard deviations of depth: their formula, where there are none, and real errors."""

import numpy as np
import pytest
import torch

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.metric_scale import MetricScale, ScaleFit, ScaleUsed
from vizion3d_ros.contracts.results import MonoResult, StereoResult
from vizion3d_ros.geometry.uncertainty import depth_uncertainty, disparity_deviation

RIG = StereoRig(
    left=Intrinsics(width=2, height=1, fx=100.0, fy=100.0, cx=0.5, cy=0.0), baseline_m=0.1
)


def stereo_result(device, confidence, calibrated=True, depth_m=(2.0, float('nan'))):
    scores = torch.tensor([confidence], device=device)
    depth = None if depth_m is None else torch.tensor([depth_m], device=device)
    return StereoResult(
        rig=RIG,
        disparity=torch.full((1, 2), 5.0, device=device),
        confidence=scores,
        visibility=scores,
        depth_m=depth,
        cloud=None,
        min_disparity=1.0,
        max_disparity=10.0,
        disparity_step=0.1,
        backend_used='known',
        checkpoint='',
        calibrated=calibrated,
    )


def test_it_is_the_derivative_of_depth_times_that_of_disparity(device):
    result = stereo_result(device, [0.9, 0.9])
    deviation = depth_uncertainty(result)
    pixels = float(disparity_deviation(result.confidence)[0, 0])
    z, off = (100.0 * 0.1 / (5.0 + change) for change in (0.0, -1e-4))
    assert deviation[0, 0].item() == pytest.approx(pixels * (off - z) / 1e-4, rel=1e-3)
    assert torch.isnan(deviation[0, 1])
    assert torch.equal(result.confidence, torch.full_like(result.confidence, 0.9))


def test_less_confidence_is_more_uncertainty_and_none_is_finite(device):
    pixels = disparity_deviation(torch.linspace(0, 1, 50, device=device))
    assert (pixels.diff() <= 0).all()
    assert torch.isfinite(pixels).all()
    assert pixels[-1] > 0


def test_what_nobody_calibrated_has_none(device):
    assert depth_uncertainty(stereo_result(device, [0.9, 0.9], calibrated=False)) is None
    assert depth_uncertainty(stereo_result(device, [0.9, 0.9], depth_m=None)) is None


def test_mono_takes_the_share_that_the_fit_left(device):
    depth_m = torch.tensor([[2.0, float('nan')]], device=device)
    fit = ScaleFit(MetricScale(1.0, 0.0), 100, 90, 16, 0.02, '')
    scaled = MonoResult(None, depth_m, None, 'known', '', scale=ScaleUsed(fit.scale, '', fit, 0.0))
    deviation = depth_uncertainty(scaled)
    assert deviation[0, 0].item() == pytest.approx(2.0 * 0.02 * 1.4826)
    assert torch.isnan(deviation[0, 1])
    assert depth_uncertainty(MonoResult(None, depth_m, None, 'metric', '')) is None


def test_errors_of_real_pairs_are_within_one_and_two_deviations(data_dir):
    """All pairs together, within five points; benchmarks/uncertainty.py has each of them."""
    from pathlib import Path
    from sys import path

    path.append(str(Path(__file__).parents[2] / 'benchmarks'))
    from uncertainty import inside, matched_pairs

    shares = [inside(answers) for answers in matched_pairs(data_dir, ('balanced',))]
    assert len(shares) >= 5
    assert np.mean(shares, axis=0) == pytest.approx([0.68, 0.95], abs=0.05)
