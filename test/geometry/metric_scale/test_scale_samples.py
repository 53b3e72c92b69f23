# SPDX-License-Identifier: Apache-2.0
"""A relative map is read where points were measured."""

import numpy as np
import pytest
import torch

from vizion3d_ros.contracts.metric_scale import MetricScale, SparseDepth
from vizion3d_ros.geometry.metric_scale.samples import sample


def points(columns, rows, depth_m=None):
    depth_m = np.ones(len(columns)) if depth_m is None else depth_m
    return SparseDepth(*(np.array(a, np.float32) for a in (columns, rows, depth_m)))


def ramp(height, width, device='cpu'):
    """3 * column + 100 * row + 1, which bilinear reading gives back between pixels too."""
    rows, columns = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing='ij'
    )
    return (3 * columns + 100 * rows + 1).to(torch.float32)


def test_it_reads_between_pixel_centres(device):
    columns, rows = [0, 12.25, 30.5, 63], [0, 7.5, 20.75, 47]
    samples = sample(ramp(48, 64, device), points(columns, rows))
    expected = 3 * np.array(columns) + 100 * np.array(rows) + 1
    np.testing.assert_allclose(samples.relative, expected, rtol=1e-5)


def test_it_takes_arrays_as_well():
    samples = sample(ramp(48, 64).numpy(), points([2], [3]))
    assert samples.relative.tolist() == pytest.approx([307])


def test_the_outer_half_pixel_has_the_value_of_the_outer_pixel():
    samples = sample(ramp(48, 64), points([-0.5, 63.49, 10], [10, 47.49, -0.5]))
    np.testing.assert_allclose(samples.relative, [1001, 3 * 63 + 4700 + 1, 31], rtol=1e-6)


@pytest.mark.parametrize('size', [(1, 1), (1, 7), (7, 1)])
def test_tiny_maps_can_be_read(size):
    samples = sample(ramp(*size), points([0], [0]))
    assert samples.relative.tolist() == [1]


def test_cells_divide_the_image_into_sixteen_equal_parts():
    columns, rows = [-0.5, 15.4, 15.6, 63.4, 31.4], [-0.5, 11.4, 11.6, 47.4, 35.6]
    samples = sample(ramp(48, 64), points(columns, rows))
    assert samples.cells.tolist() == [0, 0, 5, 15, 13]


@pytest.mark.parametrize('size', [(50, 40), (480, 640), (1080, 1920)])
def test_the_range_is_that_of_the_whole_map(size, device):
    relative = ramp(*size, device)
    low, high = sample(relative, points([0], [0])).map_range
    expected = np.percentile(relative.cpu().numpy(), (5, 95))
    spread = expected[1] - expected[0]
    np.testing.assert_allclose([low, high], expected, atol=0.02 * spread)


def test_a_map_that_failed_has_no_range():
    low, high = sample(torch.full((48, 64), torch.nan), points([5], [5])).map_range
    assert np.isnan(low) and np.isnan(high)


def test_errors_are_measured_over_predicted_depth_minus_one():
    samples = sample(torch.full((8, 8), 2.0), points([1, 2, 3], [1, 2, 3], [2.0, 2.2, 1.0]))
    errors = samples.errors(MetricScale(scale=0.2, shift=0.1))  # predicts 2 m
    np.testing.assert_allclose(errors, [0, 0.1, -0.5], atol=1e-7)
