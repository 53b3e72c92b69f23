# SPDX-License-Identifier: Apache-2.0
"""How far noise is smeared, told from the picture alone."""

import cv2
import numpy as np
import pytest

from vizion3d_ros.engine.sgbm.smear import MOST, smear

NOISE = np.random.default_rng(3).normal(0, 1, (360, 640)).astype(np.float32)


def test_independent_noise_is_not_smeared():
    assert smear(NOISE) == pytest.approx(1, abs=0.02)


def test_a_pair_of_equal_columns_counts_as_one():
    # Half of all neighbours are equal, rho = 0.5, so that 1 + 2 * 0.5**2 = 1.5.
    assert smear(np.repeat(NOISE[:, :320], 2, axis=1)) == pytest.approx(1.5, abs=0.08)


def test_both_directions_count():
    # rho = 0.5 as well, but the flattest places are those where chance has it smaller.
    kernel = np.ones((1, 2), np.float32) / 2
    assert 1.25 < smear(cv2.filter2D(NOISE, -1, kernel)) < 1.5
    assert 1.25 < smear(cv2.filter2D(NOISE, -1, kernel.T)) < 1.5
    assert smear(cv2.blur(NOISE, (2, 2))) == MOST


def test_it_is_told_from_the_flattest_part():
    lively = NOISE.copy()
    lively[:, :400] += 40 * cv2.GaussianBlur(NOISE, (0, 0), 3)[:, :400]
    assert smear(lively) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize('shape', [(1, 1), (3, 40), (40, 2), (9, 9)])
def test_little_or_no_noise_is_no_smear(shape):
    assert 1 <= smear(np.zeros(shape, np.float32)) <= MOST
    assert 1 <= smear(np.ascontiguousarray(NOISE[: shape[0], : shape[1]])) <= MOST
