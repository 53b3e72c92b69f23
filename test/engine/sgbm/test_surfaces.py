# SPDX-License-Identifier: Apache-2.0
"""Edges move to those of the image, and surfaces go on where only one camera sees them."""

import numpy as np

from vizion3d_ros.engine.sgbm.holes import fill
from vizion3d_ros.engine.sgbm.surfaces import refine

HEIGHT, WIDTH, EDGE = 40, 80, 30
FAR_PX, NEAR_PX = 10.0, 30.0
EVERYWHERE = np.ones((HEIGHT, WIDTH), bool)


def scene(edge=EDGE + 2):
    """A bright near surface right of column EDGE; its disparities begin at the column edge."""
    columns = np.broadcast_to(np.arange(WIDTH), (HEIGHT, WIDTH))
    grey = np.where(columns < EDGE, 40, 200).astype(np.uint8)
    return grey, np.where(columns < edge, FAR_PX, NEAR_PX).astype(np.float32)


def test_an_edge_that_is_off_moves_to_that_of_the_image():
    for off in (-2, 2):  # as far as the window of an edge reaches
        grey, disparity = scene(EDGE + off)
        refine(disparity, grey, (1.0, 1.0), EVERYWHERE)
        np.testing.assert_allclose(disparity, scene(EDGE)[1], atol=0.1)


def test_what_is_missing_stays_so_and_is_mixed_with_nothing():
    grey, disparity = scene()
    disparity[10:20, 50:60] = np.nan
    known = ~np.isnan(disparity)
    refine(disparity, grey, (1.0, 1.0), known)
    np.testing.assert_array_equal(~np.isnan(disparity), known)
    np.testing.assert_allclose(disparity[known], scene(EDGE)[1][known], atol=0.1)


def test_only_what_may_be_changed_is_changed():
    grey, disparity = scene()
    before = disparity.copy()
    upper = np.arange(HEIGHT)[:, None] < HEIGHT // 2
    refine(disparity, grey, (1.0, 1.0), np.broadcast_to(upper, disparity.shape).copy())
    np.testing.assert_array_equal(disparity[HEIGHT // 2 :], before[HEIGHT // 2 :])
    assert (disparity[: HEIGHT // 2] != before[: HEIGHT // 2]).any()


def test_noise_of_sub_pixels_is_averaged_on_a_slant():
    grey = np.full((HEIGHT, WIDTH), 100, np.uint8)
    slant = np.broadcast_to(20 + 0.2 * np.arange(WIDTH, dtype=np.float32), (HEIGHT, WIDTH))
    noisy = slant + np.random.default_rng(0).normal(0, 0.3, slant.shape).astype(np.float32)
    smooth = noisy.copy()
    refine(smooth, grey, (1.0, 1.0), EVERYWHERE)
    inner = np.s_[4:-4, 4:-4]
    assert np.std((smooth - slant)[inner]) < np.std((noisy - slant)[inner]) / 4


def test_the_band_at_the_left_goes_on_with_the_slope_of_its_surface():
    slant = 52 - 0.1 * np.broadcast_to(np.arange(320, dtype=np.float32), (HEIGHT, 320))
    disparity = slant.copy()
    disparity[:, :24] = np.nan
    filled = fill(disparity, 'dense')
    assert filled[:, :24].all() and not filled[:, 24:].any()
    # As the farther neighbour it would be 2.4 px off at the border; a level row damps the slope.
    assert np.abs(disparity - slant).max() < 0.5
