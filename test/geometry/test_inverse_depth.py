# SPDX-License-Identifier: Apache-2.0
"""Relative answers become depth, metric or only consistent in shape."""

import numpy as np
import pytest
import torch

from vizion3d_ros.contracts.metric_scale import MetricScale
from vizion3d_ros.geometry.inverse_depth import depth_from_relative, spread_relative, within

NAN, INF = float('nan'), float('inf')


def row(values, device):
    return torch.tensor([values], dtype=torch.float32, device=device)


@pytest.mark.parametrize(
    ('relative', 'scale', 'shift', 'expected'),
    [
        ([1.0, 2.0, 0.5], 0.5, 0.0, [2.0, 1.0, 4.0]),
        ([0.0, 10.0], 0.1, 0.25, [4.0, 0.8]),
        ([0.0, 10.0, 11.0, 30.0], 0.1, -1.0, [INF, INF, 10.0, 0.5]),  # the sky
        ([NAN, 2.0], 0.5, 0.0, [NAN, 1.0]),
        ([1e-3, 3e3], 500.0, 0.0, [2.0, 1 / 1.5e6]),
    ],
)
def test_depth_is_one_over_scale_times_relative_plus_shift(
    relative, scale, shift, expected, device
):
    depth_m = depth_from_relative(row(relative, device), MetricScale(scale, shift))
    assert depth_m.dtype == torch.float32
    np.testing.assert_allclose(depth_m.cpu().numpy(), [expected], rtol=1e-5)


def test_the_relative_map_is_left_alone(device):
    relative = row([0.0, 1.0, 2.0], device)
    depth_from_relative(relative, MetricScale(2.0, -1.0))
    assert relative.tolist() == [[0.0, 1.0, 2.0]]


def test_depth_outside_the_limits_is_no_measurement(device):
    depth_m = within(row([0.49, 0.5, 3.0, 8.0, 8.01, INF, NAN], device), 0.5, 8.0)
    assert depth_m.dtype == torch.float32
    np.testing.assert_array_equal(
        depth_m.cpu().numpy(), np.float32([[NAN, 0.5, 3.0, 8.0, NAN, NAN, NAN]])
    )


@pytest.mark.parametrize(
    ('relative', 'depth_trunc', 'expected'),
    [
        ([0.0, 1.0, 2.0, 4.0], 10.5, [10.5, 8.0, 5.5, 0.5]),
        ([-3.0, 7.0], 10.0, [10.0, 0.5]),
        ([1000.0, 1000.5, 1001.0], 2.5, [2.5, 1.5, 0.5]),
        ([5.0, 5.0], 10.0, [10.0, 10.0]),  # flat
        ([1e-5, 2e-5], 4.5, [4.5, 0.5]),
    ],
)
def test_a_relative_cloud_lies_between_half_a_metre_and_depth_trunc(
    relative, depth_trunc, expected, device
):
    spread = spread_relative(row(relative, device), depth_trunc)
    assert spread.dtype == torch.float32
    np.testing.assert_allclose(spread.cpu().numpy(), [expected], rtol=1e-5)
