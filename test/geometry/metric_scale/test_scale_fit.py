# SPDX-License-Identifier: Apache-2.0
"""Scale and shift come back from points that are noisy, partly wrong, or not enough."""

import time

import numpy as np
import pytest
import torch

from vizion3d_ros.contracts.metric_scale import SparseDepth
from vizion3d_ros.contracts.settings.mono_settings import SparseDepthSettings
from vizion3d_ros.geometry.metric_scale.fit import fit_scale
from vizion3d_ros.geometry.metric_scale.samples import sample

HEIGHT, WIDTH = 240, 320
SETTINGS = SparseDepthSettings()


def inverse_depth():
    """Floor, walls and a box, 1.2 m to 8 m away, in 1 / m."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    floor = np.clip((rows - 100) / 140, 0, 1) * 0.4
    box = 0.3 * ((columns > 100) & (columns < 160) & (rows > 50))
    return 0.125 + floor + box + 0.1 * np.sin(columns / 45) ** 2


def everywhere(count, rng):
    return rng.uniform(0, WIDTH - 1, count), rng.uniform(0, HEIGHT - 1, count)


def scene(scale=1.0, shift=0.0, count=2000, noise=0.02, spoil=None, where=everywhere, seed=0):
    """Relative map of which 1 / Z = scale * relative + shift, and points that measure Z."""
    rng = np.random.default_rng(seed)
    relative = ((inverse_depth() - shift) / scale).astype(np.float32)
    columns, rows = (a.astype(np.float32) for a in where(count, rng))
    there = SparseDepth(columns, rows, np.ones(len(rows), np.float32))
    depth_m = 1 / (scale * sample(relative, there).relative + shift)
    if spoil:
        depth_m = spoil(depth_m, columns, rng)
    depth_m = depth_m * (1 + noise * rng.standard_normal(depth_m.size))
    return relative, SparseDepth(columns, rows, depth_m.astype(np.float32))


def fit(relative, sparse, **settings):
    return fit_scale(sample(relative, sparse), SETTINGS.model_copy(update=settings))


def recovers(answer, scale, shift):
    """Within 1 %; of the shift, 1 % of the median inverse depth."""
    assert answer.reason == ''
    assert answer.scale.scale == pytest.approx(scale, rel=0.01)
    assert answer.scale.shift == pytest.approx(shift, abs=0.01 * np.median(inverse_depth()))


@pytest.mark.parametrize('scale', [700.0, 1.0, 0.0007])  # relative values of 1e-3 to 1e3
@pytest.mark.parametrize('shift', [-0.3, 0.0, 0.12])
@pytest.mark.parametrize('noise', [0.0, 0.02])
def test_scale_and_shift_come_back_whatever_their_size(scale, shift, noise):
    answer = fit(*scene(scale, shift, noise=noise))
    recovers(answer, scale, shift)
    assert (answer.points, answer.cells) == (2000, 16)
    assert answer.inliers > 1990
    assert answer.residual == pytest.approx(noise * 0.6745, rel=0.1, abs=1e-5)


def gross(share):
    """Wrong ranges anywhere, between half and double."""

    def spoil(depth_m, columns, rng):
        wrong = rng.random(depth_m.size) < share
        return np.where(wrong, depth_m * rng.uniform(0.5, 2, depth_m.size), depth_m)

    return spoil


def anything(share):
    def spoil(depth_m, columns, rng):
        wrong = rng.random(depth_m.size) < share
        return np.where(wrong, rng.uniform(0.3, 50, depth_m.size), depth_m)

    return spoil


def behind(share):
    """Points that something nearer hides from the camera: all too far."""

    def spoil(depth_m, columns, rng):
        wrong = rng.random(depth_m.size) < share
        return np.where(wrong, depth_m * rng.uniform(1.2, 3, depth_m.size), depth_m)

    return spoil


def pane(share):
    """One side of the image is a pane of glass at 2 m, which the network looks through."""

    def spoil(depth_m, columns, rng):
        return np.where(columns < np.quantile(columns, share), 2.0, depth_m)

    return spoil


def side(factor):
    """One side of the image is too far by a factor: wrong alike, and by little."""

    def of(share):
        def spoil(depth_m, columns, rng):
            wrong = columns > np.quantile(columns, 1 - share)
            return np.where(wrong, depth_m * factor, depth_m)

        return spoil

    return of


def near(share):
    """The nearest things are all too far by half."""

    def spoil(depth_m, columns, rng):
        return np.where(depth_m < np.quantile(depth_m, share), depth_m * 1.5, depth_m)

    return spoil


@pytest.mark.parametrize('share', [0.3, 0.4])
@pytest.mark.parametrize('wrong', [gross, anything, behind, pane, side(1.3), side(1.12), near])
@pytest.mark.parametrize('seed', range(3))
def test_wrong_points_do_not_matter(wrong, share, seed):
    answer = fit(*scene(3.0, -0.1, noise=0.015, spoil=wrong(share), seed=seed))
    recovers(answer, 3.0, -0.1)
    assert 1 - share - 0.02 < answer.inliers / answer.points < 1 - share / 2


def test_a_hundred_points_are_enough():
    for seed in range(10):
        answer = fit(*scene(2.0, 0.05, 100, 0.01, anything(0.35), seed=seed))
        assert answer.scale.scale == pytest.approx(2.0, rel=0.03), seed


def test_a_network_that_errs_smoothly_is_fitted_as_well_as_it_can_be():
    relative, sparse = scene(1.0, 0.0, noise=0.01)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    warp = 1 + 0.05 * np.sin(columns / 40) * np.cos(rows / 30)
    answer = fit((relative * warp).astype(np.float32), sparse)
    recovers(answer, 1.0, 0.0)
    assert 0.01 < answer.residual < 0.04


def test_it_works_on_any_device(device):
    relative, sparse = scene(3.0, -0.1)
    assert fit(torch.from_numpy(relative).to(device), sparse).scale.scale == pytest.approx(
        fit(relative, sparse).scale.scale, rel=1e-5
    )


def test_the_same_points_give_the_same_fit():
    assert fit(*scene(spoil=gross(0.4))) == fit(*scene(spoil=gross(0.4)))


# --- refusals --------------------------------------------------------------------------------


def refused(answer, *words):
    assert answer.scale is None
    assert all(word in answer.reason for word in words), answer.reason


@pytest.mark.parametrize('count', [0, 1, 2, 29])
def test_too_few_points_are_refused(count):
    answer = fit(*scene(count=count))
    refused(answer, f'{count} points', 'at least 30 (min_points)', 'check the transform')
    assert (answer.points, answer.inliers, answer.cells) == (count, 0, 0)


def test_too_few_points_that_agree_are_refused():
    answer = fit(*scene(count=60, spoil=anything(0.6)), min_inliers=0.1)
    refused(answer, 'of 60 points agree within 10%', 'at least 30 (min_points)')


def test_a_small_share_that_agrees_is_refused():
    answer = fit(*scene(spoil=anything(0.4)), min_inliers=0.7)
    refused(answer, 'of 2000 points agree', 'share of 0.7 (min_inliers)', 'transform')
    assert answer.inliers > 1100


def test_random_depth_is_refused():
    relative, sparse = scene()
    depth_m = np.random.default_rng(0).uniform(0.5, 20, sparse.depth_m.size)
    refused(fit(relative, SparseDepth(sparse.columns, sparse.rows, depth_m)), 'min_inliers')


def test_points_in_one_corner_are_refused():
    def corner(count, rng):
        return rng.uniform(0, WIDTH / 2 - 2, count), rng.uniform(0, HEIGHT / 4 - 2, count)

    answer = fit(*scene(where=corner))
    refused(answer, 'in 2 cells of a 4x4 grid', 'at least 4 (min_cells)')
    assert answer.cells == 2


def test_one_row_of_points_is_enough_if_it_sees_near_and_far():
    def planar(count, rng):
        return rng.uniform(0, WIDTH - 1, count), np.full(count, 120.0)

    recovers(fit(*scene(3.0, -0.1, where=planar)), 3.0, -0.1)


@pytest.mark.parametrize('noise', [0.0, 0.01])
@pytest.mark.parametrize('bend', [0.0, 1e-6, 0.005])
def test_points_on_one_wall_are_refused(noise, bend):
    relative = inverse_depth().astype(np.float32)
    relative[:121] = 0.3 + bend * np.linspace(0, 1, WIDTH)
    rng = np.random.default_rng(0)
    wall = (rng.uniform(0, WIDTH - 1, 2000), rng.uniform(0, 119, 2000))
    depth_m = (1 + noise * rng.standard_normal(2000)) / 0.3
    refused(
        fit(relative, SparseDepth(*wall, depth_m)), 'tell scale from shift', 'near and far things'
    )


def test_a_wall_that_is_all_the_image_shows_is_refused():
    _, sparse = scene()
    for value in (0.5, 0.3):  # read between pixels, 0.3 is not everywhere the same
        flat = np.full((HEIGHT, WIDTH), value, np.float32)
        wall = SparseDepth(sparse.columns, sparse.rows, np.full_like(sparse.depth_m, 2.0))
        refused(fit(flat, wall), 'near and far things')


def test_one_relative_value_at_all_points_is_refused():
    relative, _ = scene()
    relative[:, 100] = 0.25
    column = SparseDepth(np.full(200, 100.0), np.arange(200.0), np.full(200, 2.0))
    refused(fit(relative, column), 'near and far things')
    relative[:] = 0.25
    refused(fit(relative[:9, :9], column), 'the same relative depth', 'near and far things')


def test_a_wall_that_agrees_among_wrong_points_is_refused():
    relative, _ = scene()
    relative[:, 40:200], relative[:, 200] = 0.25, 0.5
    columns = np.tile([*range(45, 195, 2), 200], 100)
    rows = np.arange(columns.size) % 240
    depth_m = np.where(columns == 200, 7.0, 4.0)
    wall = SparseDepth(*(np.float32(a) for a in (columns, rows, depth_m)))
    assert fit(relative, wall).inliers > 7000
    refused(fit(relative, wall), 'expected a positive one')


def test_a_reversed_map_is_refused():
    relative, sparse = scene()
    refused(fit(1 - relative, sparse), 'scale is -', 'expected a positive one')


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_a_map_that_is_no_number_at_a_point_is_refused(value):
    relative, sparse = scene()
    relative[100:102, 100:102] = value
    at = SparseDepth(
        *(np.append(a, [a[0]]) for a in (sparse.columns, sparse.rows, sparse.depth_m))
    )
    at.columns[-1] = at.rows[-1] = 100.5
    refused(fit(relative, at), 'no numbers', 'float32')
    refused(fit(np.full_like(relative, value), sparse), 'no numbers')


def test_it_takes_a_few_milliseconds():
    relative, sparse = scene(spoil=gross(0.4))
    answer = torch.from_numpy(relative)
    taken_s = []
    for _ in range(20):
        begun = time.perf_counter()
        fit(answer, sparse)
        taken_s.append(time.perf_counter() - begun)
    assert min(taken_s) < 0.02  # 1 to 2 ms on one core of 2024
