# SPDX-License-Identifier: Apache-2.0
import math

import numpy as np
import pytest

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.report.metrics import (
    absolute_error,
    depth_scores,
    disparity_scores,
    measured,
    percentiles,
    relative_error,
)

NAN, INF = float('nan'), float('inf')


def test_disparity_scores_of_a_hand_computed_case():
    # known: 8 pixels; answered of those: 5 with errors 0, 0.5, 1.5, 2.5, 1.0; missing: 3
    truth = np.array([[10, 10, 10, 10, 10], [10, 10, 10, NAN, INF]], np.float32)
    estimate = np.array([[10, 10.5, 8.5, 12.5, 11], [NAN, 0, -3, 10, 10]], np.float32)
    scores = disparity_scores(truth, estimate)
    assert scores.density == 5 / 8
    assert scores.bad_1 == (2 + 3) / 8
    assert scores.bad_2 == (1 + 3) / 8
    assert scores.bad_1_answered == 2 / 5
    assert scores.bad_2_answered == 1 / 5
    assert scores.epe == pytest.approx((0 + 0.5 + 1.5 + 2.5 + 1.0) / 5)


def test_an_error_of_exactly_the_limit_is_not_bad():
    scores = disparity_scores(np.array([5.0, 5.0]), np.array([6.0, 7.0]))
    assert (scores.bad_1, scores.bad_2) == (0.5, 0.0)


@pytest.mark.parametrize('nothing', [NAN, INF, -INF, 0.0, -1.0])
def test_no_answer_counts_as_wrong_and_has_no_epe(nothing):
    scores = disparity_scores(np.full((2, 3), 4.0), np.full((2, 3), nothing))
    assert (scores.density, scores.bad_1, scores.bad_2) == (0.0, 1.0, 1.0)
    assert math.isnan(scores.epe) and math.isnan(scores.bad_1_answered)


def test_errors_of_small_floats_do_not_drown_in_the_mean():
    truth = np.zeros(2_000_000, np.float32) + 8
    scores = disparity_scores(truth, truth + np.float32(0.0625))
    assert scores.epe == pytest.approx(0.0625, abs=1e-9)


def test_disparity_without_ground_truth_is_refused():
    with pytest.raises(InputError, match='no pixel has ground truth'):
        disparity_scores(np.full((2, 2), NAN), np.ones((2, 2)))


@pytest.mark.parametrize('score', [disparity_scores, depth_scores, relative_error, absolute_error])
def test_a_shape_mismatch_names_both(score):
    with pytest.raises(InputError, match=r'\(4, 6\).*\(4, 5\)'):
        score(np.ones((4, 6)), np.ones((4, 5)))


def test_depth_scores_of_a_hand_computed_case():
    truth_m = np.array([2.0, 4.0, 5.0, NAN, 8.0, 0.0])
    depth_m = np.array([2.2, 4.0, 4.0, 3.0, NAN, 1.0])  # relative errors 0.1, 0, 0.2
    scores = depth_scores(truth_m, depth_m)
    assert scores.valid_share == 5 / 6
    assert scores.error_median == pytest.approx(0.1)
    assert scores.error_p95 == pytest.approx(0.19)


def test_relative_error_is_nan_without_both():
    error = relative_error(np.array([2.0, NAN, 0.0]), np.array([1.0, 1.0, 1.0]))
    np.testing.assert_array_equal(error, [0.5, NAN, NAN])


def test_measured_is_finite_and_positive():
    values = np.array([NAN, INF, -INF, 0.0, -1.0, 1e-9])
    assert measured(values).tolist() == [False] * 5 + [True]


def test_percentiles_interpolate_and_are_nan_of_nothing():
    assert percentiles([10.0, 20.0, 30.0], (50, 95)) == pytest.approx([20.0, 29.0])
    assert all(math.isnan(value) for value in percentiles([], (50, 95)))
