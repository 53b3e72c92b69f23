# SPDX-License-Identifier: Apache-2.0
"""Disparity to depth against Z = fx * B / d."""

import numpy as np
import pytest
import torch

from vizion3d_ros.geometry.reprojection import correct_disparity, depth_from_disparity

NAN = float('nan')


@pytest.mark.parametrize(
    ('raw', 'doffs', 'min_disparity', 'expected'),
    [
        ([4.0, 8.0, NAN], 0.0, 1.0, [4.0, 8.0, NAN]),
        ([4.0, 8.0, NAN], 2.5, 1.0, [6.5, 10.5, NAN]),
        ([-10.0, -2.0, 0.0, NAN], 12.0, 1.0, [2.0, 10.0, 12.0, NAN]),  # a verged rig
        ([4.0, 8.0, 2.0], -3.0, 1.0, [1.0, 5.0, NAN]),
        ([0.0, -1.0, 0.0625, 0.06], 0.0, 0.0625, [NAN, NAN, 0.0625, NAN]),
        ([-12.0, -11.9375], 12.0, 0.0625, [NAN, 0.0625]),
    ],
)
def test_doffs_is_added_before_validity_is_judged(raw, doffs, min_disparity, expected, device):
    corrected = correct_disparity(torch.tensor([raw], device=device), doffs, min_disparity)
    np.testing.assert_array_equal(corrected.cpu().numpy(), np.float32([expected]))
    assert corrected.dtype == torch.float32


def test_the_raw_map_is_left_alone(device):
    raw = torch.tensor([[0.0, 5.0, NAN]], device=device)
    before = raw.clone()
    correct_disparity(raw, 0.0, 1.0)
    torch.testing.assert_close(raw, before, equal_nan=True, rtol=0, atol=0)


@pytest.mark.parametrize(('fx', 'baseline_m'), [(400.0, 0.12), (1733.74, 0.53663), (96.5, 2.0)])
@pytest.mark.parametrize('doffs', [0.0, 31.25, -7.5])
def test_depth_is_fx_b_over_corrected_disparity(fx, baseline_m, doffs, device):
    rng = np.random.default_rng(5)
    depth = rng.uniform(0.5, 80.0, (11, 13))
    raw = fx * baseline_m / depth - doffs
    corrected = correct_disparity(
        torch.tensor(raw, dtype=torch.float32, device=device), doffs, 1e-3
    )
    answer = depth_from_disparity(corrected, fx * baseline_m)
    np.testing.assert_allclose(answer.cpu().numpy(), depth, rtol=1e-4)


def test_nan_stays_nan(device):
    answer = depth_from_disparity(torch.tensor([[NAN, 2.0]], device=device), 10.0)
    assert answer.isnan().tolist() == [[True, False]]
    assert answer[0, 1] == 5.0


def test_dividing_again_gives_the_disparity_back(device):
    values = np.random.default_rng(6).uniform(0.0625, 512.0, (9, 9))
    disparity = torch.tensor(values, dtype=torch.float32, device=device)
    depth = depth_from_disparity(disparity, 57.3)
    torch.testing.assert_close(57.3 / depth, disparity, rtol=3e-7, atol=0)
