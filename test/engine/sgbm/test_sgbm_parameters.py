# SPDX-License-Identifier: Apache-2.0
"""Every setting of the semi-global backend changes what it should."""

import numpy as np
import pytest
from pydantic import ValidationError
from sgbm_scenes import HEIGHT, WIDTH, grid, layered_pair, match, noisy, surface_pair, to_image

from vizion3d_ros.contracts.settings.stereo_settings import SgbmSettings
from vizion3d_ros.engine.sgbm.matched_size import matched_size

BOARD = {'back': 10, 'front': 26, 'left_edge': 140, 'right_edge': 220}


def share(result):
    """Answered share."""
    return float(np.isfinite(result.disparity).mean())


def noisy_pair(sigma=12.0):
    left, right = surface_pair(np.full((HEIGHT, WIDTH), 12.3))
    return noisy(left, sigma, 1), noisy(right, sigma, 2)


def rough(result):
    """Mean step between neighbours in pixels."""
    return float(np.nanmean(np.abs(np.diff(result.disparity, axis=1))))


def test_modes_differ():
    left, right = noisy_pair()
    answers = [match(left, right, sgbm_mode=mode).disparity for mode in ('3way', 'sgbm', 'hh')]
    assert not np.array_equal(answers[0], answers[1], equal_nan=True)
    assert not np.array_equal(answers[1], answers[2], equal_nan=True)


def test_larger_penalties_smooth():
    left, right = noisy_pair()
    low = match(left, right, P1=10, P2=20, speckle_size=0)
    high = match(left, right, P1=400, P2=1600, speckle_size=0)
    assert rough(high) < 0.8 * rough(low)


def test_each_penalty_counts():
    left, right = noisy_pair()
    base, small, large = (
        match(left, right, **penalties).disparity
        for penalties in ({'P1': 100, 'P2': 800}, {'P1': 400, 'P2': 800}, {'P1': 100, 'P2': 1600})
    )
    assert not np.array_equal(base, small, equal_nan=True)
    assert not np.array_equal(base, large, equal_nan=True)


def test_a_larger_window_averages_noise():
    left, right = noisy_pair()
    narrow, wide = (
        match(left, right, correlation_window_size=size, P1=1, P2=2, uniqueness_ratio=0)
        for size in (3, 11)
    )
    assert rough(wide) < 0.8 * rough(narrow)


def test_uniqueness_drops_ambiguous_matches():
    left, right = noisy_pair(sigma=40)
    assert share(match(left, right, uniqueness_ratio=40)) < 0.9 * share(
        match(left, right, uniqueness_ratio=0)
    )


def test_small_islands_are_dropped():
    x, y = grid()
    patch = (np.abs(x - 160) < 9) & (np.abs(y - 80) < 9)
    left, right = surface_pair(np.full((HEIGHT, WIDTH), 12.0))
    stamp = noisy(np.full((HEIGHT, WIDTH), 128.0), 60, 3)
    left[patch], right[:, :-30][patch[:, 30:]] = stamp[patch], stamp[patch]
    at_patch = np.s_[76:85, 156:165]
    kept = match(left, right, speckle_size=0).disparity[at_patch]
    dropped = match(left, right, speckle_size=900).disparity[at_patch]
    assert np.nanmedian(kept) == pytest.approx(30, abs=0.3)
    assert not (np.abs(dropped - 30) < 2).any()


def test_the_speckle_range_separates_islands():
    x, _ = grid()
    left, right = surface_pair(np.where(x < 160, 12.0, 15.0))
    sizes = {'speckle_size': 10000}
    whole = (HEIGHT - 30) * 130
    assert np.isfinite(match(left, right, speckle_range=31, **sizes).disparity).sum() > whole
    halves = match(left, right, speckle_range=0, **sizes)
    assert share(halves) < share(match(left, right, speckle_range=31, **sizes))


def test_a_left_right_difference_can_be_allowed():
    left, right, _ = layered_pair(**BOARD)
    strict, lax = (match(left, right, disp12_max_diff=limit) for limit in (1, 64))
    assert share(lax) > share(strict)


def test_the_gradient_bound_acts():
    left, right = noisy_pair()
    low, high = (match(left, right, prefilter_cap=cap).disparity for cap in (15, 63))
    assert not np.array_equal(low, high, equal_nan=True)


def test_taking_the_mean_away_helps_against_a_brightness_ramp():
    left, right = surface_pair(np.full((HEIGHT, WIDTH), 12.3))
    x, _ = grid()
    left, right = to_image(left * 0.4), to_image(right * 0.4 + 0.3 * x)
    plain, flat = (match(left, right, prefilter_size=size) for size in (0, 15))
    right_of = [np.abs(result.disparity[8:-8, 40:-8] - 12.3) < 1 for result in (plain, flat)]
    assert right_of[1].mean() > 0.9
    assert not np.array_equal(plain.disparity, flat.disparity, equal_nan=True)


def test_blocks_below_the_texture_threshold_are_dropped():
    x, _ = grid()
    left, right = surface_pair(np.full((HEIGHT, WIDTH), 12.0))
    fade = np.where(x < 160, 1.0, 0.05)
    left = to_image(128 + (left - 128.0) * fade)
    right = to_image(128 + (right - 128.0) * np.where(x + 12 < 160, 1.0, 0.05))
    found = match(left, right, texture_threshold=300).disparity
    assert np.isfinite(found[8:-8, 40:140]).mean() > 0.9
    assert np.isfinite(found[8:-8, 190:-8]).mean() < 0.05
    assert np.isfinite(match(left, right).disparity[8:-8, 190:-8]).mean() > 0.9


def test_the_range_limits_the_answers():
    left, right, truth = layered_pair(**BOARD)
    result = match(left, right, min_disparity=16, disparity_range=16)
    assert np.nanmin(result.disparity) >= 16
    assert np.nanmax(result.disparity) <= 31
    assert np.nanmedian(result.disparity[truth == 26]) == pytest.approx(26, abs=0.1)


def test_gaps_are_left_open_closed_where_they_are_known_or_all_closed():
    left, right, truth = layered_pair(**BOARD)
    open_, narrow, dense = (match(left, right, fill=how) for how in ('none', 'narrow', 'dense'))
    assert share(open_) < share(narrow) < share(dense) == 1
    assert (open_.visibility[np.isfinite(open_.disparity)] > 0).all()
    closed = np.isnan(open_.disparity)
    assert (dense.confidence[closed] == np.float32(0.05)).all()
    assert (dense.visibility[closed] == 0).all()
    np.testing.assert_array_equal(dense.disparity[~closed], open_.disparity[~closed])
    assert (np.abs(dense.disparity - truth) < 1).mean() > 0.97


@pytest.mark.parametrize(
    ('settings', 'size'),
    [
        ({}, (768, 720)),
        ({'preset': 'quality'}, (1280, 720)),
        ({'preset': 'fast'}, (512, 288)),
        ({'preset': 'fast', 'height_scale': 1.0}, (512, 720)),
        ({'width_scale': 0.25}, (320, 720)),
        ({'preset': 'quality', 'scale': 0.5}, (640, 360)),
    ],
)
def test_a_preset_says_how_large_images_are_matched_and_single_parameters_go_before(
    settings, size
):
    assert matched_size(1280, 720, SgbmSettings(**settings)) == size


def test_small_images_lose_nothing_to_a_preset():
    assert matched_size(400, 300, SgbmSettings(preset='fast')) == (400, 300)
    assert matched_size(640, 480, SgbmSettings()) == (400, 480)


@pytest.mark.parametrize('name', ['width_scale', 'height_scale'])
def test_a_scale_that_leaves_nothing_to_match_is_refused(name):
    with pytest.raises(ValidationError, match=f'{name} must be 0 .by preset. or 0.1 to 1'):
        SgbmSettings(**{name: 0.01})


@pytest.mark.parametrize('preset', ['fast', 'balanced', 'quality'])
def test_every_preset_finds_a_wide_scene(preset):
    x, _ = grid(1000, 120)
    truth = np.where(x < 500, 20.3, 31.7)
    found = match(*surface_pair(truth), preset=preset).disparity
    error = np.abs(found - truth)[:, 60:]
    assert np.isfinite(error).mean() > 0.9
    assert np.nanmedian(error) < 0.2
