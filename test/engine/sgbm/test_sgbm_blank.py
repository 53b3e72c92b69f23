# SPDX-License-Identifier: Apache-2.0
"""Areas that show nothing but sensor noise answer nothing; weak texture is not taken for noise."""

import cv2
import numpy as np
import pytest
from sgbm_scenes import match, noisy, rig_of, texture, to_image

from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.engine.sgbm.matcher import SgbmBackend

HEIGHT, WIDTH = 240, 320
COLUMNS, ROWS = np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT))
SHADES = {
    'even': 0 * COLUMNS,
    'darker corners': -30 * (COLUMNS**2 + ROWS**2),
    'lit from the left': -40 * COLUMNS,
    'lamp': 60 * np.exp(-3 * (COLUMNS**2 + ROWS**2)),
}


def share(result, where=np.s_[:]):
    """Answered share."""
    return float(np.isfinite(result.disparity[where]).mean())


def views(left, right, noise, seed=0):
    """Both views with noise of their own."""
    return noisy(left, noise, seed), noisy(right, noise, seed + 100)


def wall(noise, grey=150.0, shade='darker corners', seed=0):
    levels = grey + SHADES[shade]
    return views(levels, levels, noise, seed)


def smeared_wall(how, noise, seed):
    """One view: box of 3x3, Gaussian of 1 px, or a Bayer image that was demosaiced."""
    levels = 150 + SHADES['darker corners']
    independent = np.random.default_rng(seed).normal(0, 1, levels.shape)
    if how == 'demosaiced':
        return cv2.cvtColor(to_image(levels + noise * independent), cv2.COLOR_BayerBG2BGR)
    size, sigma = ((3, 3), 1e6) if how == 'box' else ((0, 0), 1)
    smooth = cv2.GaussianBlur(independent, size, sigma)
    return to_image(levels + noise / smooth.std() * smooth)


@pytest.mark.parametrize('grey', [5, 60, 150, 250])
@pytest.mark.parametrize('noise', [0, 0.25, 0.5, 1, 2, 3])
def test_a_blank_wall_answers_nothing(noise, grey):
    assert share(match(*wall(noise, grey))) < 0.02


@pytest.mark.parametrize('preset', ['fast', 'balanced', 'quality'])
@pytest.mark.parametrize('noise', [0.5, 1, 2])
@pytest.mark.parametrize('smeared', ['box', 'bell', 'demosaiced'])
def test_a_wall_is_as_blank_where_noise_is_smeared_over_neighbours(smeared, noise, preset):
    pair = [smeared_wall(smeared, noise, seed) for seed in (0, 1)]
    assert share(match(*pair, preset=preset)) < 0.02


@pytest.mark.parametrize('shade', SHADES)
@pytest.mark.parametrize('seed', range(3))
def test_soft_light_on_a_wall_is_no_texture(shade, seed):
    assert share(match(*wall(1, shade=shade, seed=seed))) < 0.02


@pytest.mark.parametrize(
    'sgbm',
    [
        {'sgbm_mode': 'hh'},
        {'sgbm_mode': 'sgbm'},
        {'scale': 0.5},
        {'correlation_window_size': 7},
        {'prefilter_size': 15},
        {'speckle_size': 0, 'uniqueness_ratio': 0},
    ],
    ids=str,
)
def test_it_stays_blank_under_other_settings(sgbm):
    assert share(match(*wall(1), **sgbm)) < 0.02


def test_it_is_blank_by_default_with_a_range_from_depths_and_in_colour():
    colour = np.repeat((150 + SHADES['darker corners'])[..., None], 3, axis=2)
    left, right = views(colour, colour, 1.5)
    result = SgbmBackend().match(left, right, rig_of(left, baseline_m=0.1), StereoSettings())
    assert share(result) < 0.02


@pytest.mark.parametrize('noise', [0.5, 1, 2])
def test_texture_as_weak_as_the_noise_is_matched(noise):
    x, y = np.meshgrid(np.arange(WIDTH, dtype=float), np.arange(HEIGHT, dtype=float))
    contrast = noise / texture(x, y).std()
    left, right = (150 + contrast * (texture(x - d, y) - 128) for d in (12.3, 0))
    result = match(*views(left, right, noise))
    assert share(result, np.s_[:, 16:]) > 0.95
    assert np.nanpercentile(np.abs(result.disparity - 12.3), 95) < 1


@pytest.mark.parametrize('noise', [0.5, 1, 2])
def test_a_poster_keeps_its_depth_and_the_wall_around_it_answers_nothing(noise):
    levels = 150 + SHADES['darker corners']
    x, y = np.meshgrid(np.arange(WIDTH, dtype=float), np.arange(HEIGHT, dtype=float))
    left, right = levels.copy(), levels.copy()
    left[80:160, 120:220] = texture(x, y)[80:160, 120:220]
    right[80:160, 108:208] = left[80:160, 120:220]
    result = match(*views(left, right, noise))
    # The matcher carries a poster's depth over its edge, and beside an edge noise cannot be told.
    away = np.ones(levels.shape, bool)
    away[40:200, 80:260] = False
    assert share(result, np.s_[80:160, 120:220]) > 0.97
    assert np.nanmedian(result.disparity[80:160, 120:220]) == pytest.approx(12, abs=0.1)
    assert share(result, away) < 0.01


@pytest.mark.parametrize('preset', ['fast', 'balanced', 'quality'])
@pytest.mark.parametrize('rows_apart', [20, 120])
def test_edges_along_the_rows_look_alike_wherever_they_are_matched(rows_apart, preset):
    stripes = np.arange(HEIGHT)[:, None] // rows_apart % 2
    levels = 150 + SHADES['darker corners'] + 60 * stripes
    assert share(match(*views(levels, levels, 1), preset=preset)) < 0.02


def test_where_a_wall_saturates_is_no_texture():
    bright = to_image(250 + 20 * COLUMNS)
    assert share(match(*views(bright, bright, 1))) < 0.02


@pytest.mark.parametrize('rows', [8, 16])
def test_a_few_rows_of_texture_are_enough(rows):
    x, y = np.meshgrid(np.arange(WIDTH, dtype=float), np.arange(rows, dtype=float))
    left, right = (to_image(texture(x - d, y)) for d in (12, 0))
    assert share(match(left, right), np.s_[:, 32:-32]) > 0.9
