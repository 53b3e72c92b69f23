# SPDX-License-Identifier: Apache-2.0
"""Fitting images to a network and bringing its maps back."""

import pytest
import torch

from vizion3d_ros.geometry.resize import Fit


def ramp(height, width):
    """float32 (1, 3, H, W), each channel rising along the columns."""
    return torch.arange(width, dtype=torch.float32).expand(1, 3, height, width).clone()


@pytest.mark.parametrize(
    ('size', 'inner', 'padded'),
    [
        ((480, 640), (480, 640), (480, 640)),
        ((500, 741), (500, 741), (512, 768)),
        ((720, 1280), (540, 960), (544, 960)),
        ((768, 1024), (540, 720), (544, 736)),
        ((375, 1242), (290, 960), (320, 960)),
        ((1, 1), (1, 1), (32, 32)),
        ((20, 4000), (5, 960), (32, 960)),
    ],
)
def test_sizes_keep_the_aspect_ratio_and_are_multiples(size, inner, padded):
    fit = Fit.into(*size, 540, 960, 32)
    assert (fit.inner_height, fit.inner_width) == inner
    assert fit.padded_size == padded
    assert fit.width_ratio == size[1] / inner[1]


@pytest.mark.parametrize('size', [(480, 640), (500, 741), (45, 64), (33, 95), (7, 5)])
def test_without_shrinking_undo_gives_the_image_back_bit_by_bit(size):
    image = torch.rand(1, 3, *size) * 255
    fit = Fit.into(*size, 540, 960, 32)
    assert torch.equal(fit.undo(fit.apply(image)), image)


def test_shrinking_and_undoing_keeps_columns_in_place():
    image = ramp(720, 1280)
    fit = Fit.into(720, 1280, 540, 960, 32)
    inside = (..., slice(None), slice(8, -8))
    back = fit.undo(fit.apply(image))
    assert (back - image)[inside].abs().max() < 0.02


def test_a_disparity_is_scaled_by_the_true_ratio():
    fit = Fit.into(768, 1024, 540, 960, 32)
    shift = 12 / fit.width_ratio  # 12 px of the image are this many inside
    assert shift * fit.width_ratio == pytest.approx(12)
    assert fit.width_ratio == pytest.approx(768 / 540, rel=1e-3)


def test_nothing_hangs_between_a_near_and_a_far_surface():
    fit = Fit.into(64, 128, 32, 64, 32)
    near_and_far = torch.full((1, 1, 32, 64), 5.0)
    near_and_far[..., 32:] = 50.0
    assert set(fit.undo(near_and_far).unique().tolist()) == {5.0, 50.0}


def test_a_smooth_surface_stays_smooth():
    fit = Fit.into(64, 128, 32, 64, 32)
    slope = torch.arange(64, dtype=torch.float32).mul(0.2).expand(1, 1, 32, 64)
    steps = fit.undo(slope)[0, 0, 0].diff()
    assert steps[2:-2].min() > 0.09
    assert steps.max() < 0.11


def test_the_padding_is_a_blurred_picture_and_the_image_lies_in_the_middle():
    image = torch.full((1, 3, 33, 95), 200.0)
    fit = Fit.into(33, 95, 540, 960, 32)
    padded = fit.apply(image)
    top, left = fit.top_left
    assert (top, left) == (15, 0)
    assert torch.equal(padded[..., top : top + 33, left : left + 95], image)
    border = padded[..., :top, :]
    assert 0 < border.min() < border.max() < 200
