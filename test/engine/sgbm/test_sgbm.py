# SPDX-License-Identifier: Apache-2.0
"""The semi-global backend on pairs of known disparity."""

import logging

import numpy as np
import pytest
from sgbm_scenes import (
    HEIGHT,
    WIDTH,
    grid,
    layered_pair,
    match,
    noisy,
    rig_of,
    settings_of,
    surface_pair,
    texture,
    to_image,
)

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.engine.registry import load_stereo_backend
from vizion3d_ros.engine.sgbm.matcher import FILLED_CONFIDENCE, SgbmBackend
from vizion3d_ros.engine.sgbm.semiglobal import to_pixels

MODES = ['3way', 'sgbm', 'hh']


def flat(disparity, width=WIDTH, height=HEIGHT):
    return np.full((height, width), float(disparity))


def inner(values, left=48):
    """Without the borders, where a neighbourhood is cut off."""
    return values[8:-8, left:-8]


# --- what is answered ------------------------------------------------------------------------


def test_the_registry_finds_it():
    assert isinstance(load_stereo_backend('sgbm'), SgbmBackend)


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('disparity', [20.0, 20.25, 20.5, 20.8, 7.4])
def test_a_wall_is_found_to_a_fraction_of_a_pixel(disparity, mode):
    found = match(*surface_pair(flat(disparity)), sgbm_mode=mode).disparity
    error = inner(found) - disparity
    assert np.isfinite(error).mean() > 0.99
    assert abs(np.nanmean(error)) < 0.1
    assert np.nanpercentile(np.abs(error), 95) < 0.25


@pytest.mark.parametrize('mode', MODES)
def test_a_slanted_plane_is_found(mode):
    x, y = grid()
    truth = 8 + 0.03 * x + 0.02 * y
    found = match(*surface_pair(truth), sgbm_mode=mode).disparity
    error = np.abs(inner(found) - inner(truth))
    assert np.isfinite(error).mean() > 0.98
    assert np.nanmean(error) < 0.1


def test_what_leaves_the_right_image_is_not_answered():
    result = match(*surface_pair(flat(20)))
    x, _ = grid()
    assert np.isnan(result.disparity[:, :18]).all()
    assert np.isfinite(result.disparity[:, 24:]).mean() > 0.97
    landing = (x - result.disparity)[np.isfinite(result.disparity)]
    assert landing.min() >= 0
    assert landing.max() <= WIDTH - 1


def test_negative_disparities_lose_the_right_band_instead():
    result = match(*surface_pair(flat(-20)), min_disparity=-32, disparity_range=48)
    assert np.isnan(result.disparity[:, -18:]).all()
    assert np.nanmedian(result.disparity) == pytest.approx(-20, abs=0.1)
    assert np.isfinite(result.disparity[8:-8, 8:-28]).mean() > 0.97


@pytest.mark.parametrize('mode', MODES)
def test_a_hidden_strip_is_marked_as_not_seen(mode):
    left, right, truth = layered_pair(back=10, front=26, left_edge=140, right_edge=220)
    result = match(left, right, sgbm_mode=mode)
    hidden = np.s_[10:-10, 127:138]  # 16 columns left of the board are covered on the right
    seen = np.zeros(truth.shape, bool)
    seen[10:-10, 40:118] = seen[10:-10, 146:212] = seen[10:-10, 228:-10] = True
    assert (result.visibility[hidden] > 0.5).mean() < 0.02
    assert (result.confidence[hidden] > FILLED_CONFIDENCE).mean() < 0.02
    assert np.median(result.visibility[seen]) > 0.9
    assert np.nanmean(np.abs(result.disparity - truth)[seen]) < 0.2


def test_a_hidden_strip_continues_the_wall_behind():
    left, right, _truth = layered_pair(back=10, front=26, left_edge=140, right_edge=220)
    strip = match(left, right).disparity[10:-10, 126:138]
    answered = np.isfinite(strip)
    assert answered.mean() > 0.8
    assert (np.abs(strip - 10) < 1)[answered].mean() > 0.9


def test_shapes_types_and_missing_values():
    left, right, _ = layered_pair(back=10, front=26, left_edge=140, right_edge=220)
    result = match(left, right)
    for values in (result.disparity, result.confidence, result.visibility):
        assert values.shape == (HEIGHT, WIDTH)
        assert values.dtype == np.float32
    missing = np.isnan(result.disparity)
    assert missing.any()
    for cue in (result.confidence, result.visibility):
        assert (cue[missing] == 0).all()
        assert cue.min() >= 0
        assert cue.max() <= 1
    assert (result.min_disparity, result.max_disparity, result.step) == (0, 63, 1 / 16)
    assert '3way' in result.backend_used


def test_fractions_rise_and_whole_pixels_stay():
    steps = np.arange(-16 * 40, 16 * 2000, dtype=np.int16)
    pixels = to_pixels(steps)
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels[::16], steps[::16] / 16)
    np.testing.assert_array_equal(pixels[8::16], steps[8::16] / 16)
    assert (np.diff(pixels) >= 0).all()
    assert np.abs(pixels - steps / 16).max() < 0.15


# --- range -----------------------------------------------------------------------------------


def derived(left, right, near, far, doffs=0.0):
    settings = StereoSettings(min_depth=near, max_depth=far)
    return SgbmBackend().match(left, right, rig_of(left, 0.2, doffs), settings)


def test_depths_beyond_the_range_are_not_answered():
    left, right, truth = layered_pair(back=10, front=26, left_edge=140, right_edge=220)
    result = derived(left, right, near=0.5, far=1.5)  # 13.3 to 40 px: the board alone
    answered = np.isfinite(result.disparity)
    assert answered[10:-10, 146:212].mean() > 0.95
    assert answered[truth == 10].mean() < 0.1
    assert not (result.disparity < 40 / 3).any()
    assert (result.min_disparity, result.max_disparity) == pytest.approx((13.333, 40), abs=1e-3)


def test_a_verged_rig_finds_negative_disparities():
    result = derived(*surface_pair(flat(-6)), near=0.5, far=5.0, doffs=20.0)
    assert np.nanmedian(result.disparity) == pytest.approx(-6, abs=0.1)


def test_what_the_user_should_know_is_logged_once(package_log):
    left, right = surface_pair(flat(20))
    backend = SgbmBackend()
    for _ in range(2):
        backend.match(left, right, rig_of(left), StereoSettings())
    told = [record for record in package_log.records if 'baseline' in record.getMessage()]
    assert len(told) == 1
    assert told[0].levelno == logging.WARNING


def test_a_range_outside_the_image_is_refused():
    left, right = surface_pair(flat(20))
    with pytest.raises(BackendError, match='expected some between'):
        derived(left, right, near=0.01, far=0.02)


# --- size ------------------------------------------------------------------------------------


@pytest.mark.parametrize('width', [640, 641])
def test_half_size_matching_scales_by_the_true_ratio(width):
    x, y = grid(width, 120)
    truth = 30 + 20 * x / width
    left, right = to_image(texture((x - truth) / 2, y / 2)), to_image(texture(x / 2, y / 2))
    result = match(left, right, scale=0.5, preset='quality')
    error = inner(result.disparity - truth, left=60)
    assert result.disparity.shape == (120, width)
    assert np.isfinite(error).mean() > 0.97
    assert abs(np.nanmean(error)) < 0.05
    assert result.step == pytest.approx(width / 320 / 16)


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('scale', [0.1, 0.37, 0.75])
def test_every_scale_and_mode_keeps_the_size(mode, scale):
    result = match(*surface_pair(flat(20)), sgbm_mode=mode, scale=scale)
    assert result.disparity.shape == (HEIGHT, WIDTH)
    if scale > 0.3:
        assert np.nanmedian(result.disparity) == pytest.approx(20, abs=0.3)


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('size', [(8, 16), (3, 5), (1, 1), (1, 64), (64, 1), (17, 33)])
def test_tiny_images_are_matched_without_fuss(mode, size):
    image = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    assert match(image, image, sgbm_mode=mode, disparity_range=16).disparity.shape == size


# --- grey, colour, nothing to see ------------------------------------------------------------


def test_grey_rgb_and_bgr_match_alike():
    left, right = surface_pair(flat(12.3))
    grey = match(left, right).disparity
    rgb = match(*(np.repeat(image[..., None], 3, axis=2) for image in (left, right))).disparity
    np.testing.assert_array_equal(grey, rgb)


def test_the_channel_order_does_not_matter():
    pairs = [surface_pair(flat(12.3), seed) for seed in range(3)]
    left, right = (np.stack([pair[side] for pair in pairs], axis=2) for side in (0, 1))
    rgb = match(left, right).disparity
    bgr = match(left[..., ::-1].copy(), right[..., ::-1].copy()).disparity
    np.testing.assert_array_equal(rgb, bgr)


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('level', [0, 128, 255])
def test_an_image_without_texture_is_not_answered(mode, level):
    image = np.full((HEIGHT, WIDTH), level, np.uint8)
    assert np.isnan(match(image, image, sgbm_mode=mode).disparity).all()


def test_horizontal_stripes_are_not_answered():
    image = np.repeat(np.arange(HEIGHT, dtype=np.uint8)[:, None] * 37, WIDTH, axis=1)
    assert np.isfinite(match(image, image).disparity).mean() < 0.01


def test_noise_alone_is_mostly_not_answered():
    rng = np.random.default_rng(3)
    left, right = (rng.integers(0, 256, (HEIGHT, WIDTH), np.uint8) for _ in range(2))
    result = match(left, right)
    assert np.isfinite(result.disparity).mean() < 0.05
    assert (result.confidence > 0.3).mean() < 0.01


# --- state -----------------------------------------------------------------------------------


def test_earlier_calls_leave_no_trace():
    left, right = surface_pair(flat(12.3))
    other = surface_pair(flat(30, width=200, height=90), seed=5)
    backend = SgbmBackend()
    first = backend.match(left, right, rig_of(left), settings_of())
    backend.match(*other, rig_of(other[0]), settings_of(sgbm_mode='hh', scale=0.5))
    again = backend.match(left, right, rig_of(left), settings_of())
    np.testing.assert_array_equal(first.disparity, again.disparity)
    np.testing.assert_array_equal(first.confidence, again.confidence)


def test_the_images_are_left_alone():
    left, right = surface_pair(flat(12.3))
    copies = left.copy(), right.copy()
    match(left, right, prefilter_size=9)
    np.testing.assert_array_equal(left, copies[0])
    np.testing.assert_array_equal(right, copies[1])


def test_brightness_differences_are_tolerated():
    left, right = surface_pair(flat(12.3))
    darker = to_image(right * 0.85 - 5)
    error = np.abs(inner(match(left, noisy(darker, 1.0, 0)).disparity) - 12.3)
    assert (error < 0.5).mean() > 0.9
