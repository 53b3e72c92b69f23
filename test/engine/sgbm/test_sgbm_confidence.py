# SPDX-License-Identifier: Apache-2.0
"""Confidence is a probability, and ranks the error: the surer, the closer to the truth."""

import itertools

import numpy as np
import pytest
from sgbm_scenes import (
    HEIGHT,
    RECORDINGS,
    WIDTH,
    grid,
    layered_pair,
    match,
    noisy,
    recording,
)

from vizion3d_ros.engine.sgbm.confidence import visibility
from vizion3d_ros.engine.sgbm.evidence import Evidence
from vizion3d_ros.engine.sgbm.matcher import FILLED_CONFIDENCE

FILLED = np.float32(FILLED_CONFIDENCE)
THRESHOLDS = (0.0, 0.2, 0.4, 0.6, 0.8)


def errors_by_confidence(result, truth):
    """Mean absolute error in px and share of the pixels, per threshold."""
    known = np.isfinite(truth) & np.isfinite(result.disparity)
    error = np.abs(result.disparity - truth)
    kept = [known & (result.confidence >= threshold) for threshold in THRESHOLDS]
    return [error[mask].mean() if mask.any() else 0.0 for mask in kept], [
        mask.sum() / known.sum() for mask in kept
    ]


def test_confidence_ranks_the_error_of_a_noisy_pair():
    left, right, truth = layered_pair(10, 26, 140, 220)
    x, _ = grid()
    sigma = 5 + 35 * x / WIDTH  # noisier to the right
    result = match(noisy(left, sigma, 1), noisy(right, sigma, 2))
    errors, shares = errors_by_confidence(result, truth)
    assert all(later <= earlier + 0.02 for earlier, later in itertools.pairwise(errors))
    assert errors[4] < 0.8 * errors[0]
    assert shares[4] > 0.6


def test_a_clean_pair_is_matched_with_confidence():
    left, right, _ = layered_pair(10, 26, 140, 220)
    confidence = match(left, right).confidence[16:-16, 60:110]
    assert np.median(confidence) > 0.8


def test_confidence_is_low_beside_a_jump():
    left, right, _ = layered_pair(10, 26, 140, 220)
    confidence = match(left, right).confidence[HEIGHT // 4 : -HEIGHT // 4]
    assert np.median(confidence[:, 136:144]) < 0.5 * np.median(confidence[:, 60:110])


@pytest.mark.parametrize('mode', ['3way', 'hh'])
@pytest.mark.parametrize('scene', RECORDINGS)
def test_confidence_ranks_the_error_of_recordings(data_dir, scene, mode):
    left, right, truth = recording(data_dir / scene)
    result = match(left, right, sgbm_mode=mode, disparity_range=112)
    errors, shares = errors_by_confidence(result, truth)
    assert all(later <= earlier + 0.02 for earlier, later in itertools.pairwise(errors))
    assert errors[3] < 0.95 * errors[0]
    assert shares[2] > 0.8


def matched_pixels(folder):
    """Confidence of the matched pixels that have a truth, and whether they are within 1 px."""
    left, right, truth = recording(folder)
    result = match(left, right, disparity_range=112)
    known = np.isfinite(truth) & np.isfinite(result.disparity) & (result.confidence > FILLED)
    chosen = np.random.default_rng(0).choice(np.flatnonzero(known), 20000)  # pairs count alike
    close = np.abs(result.disparity - truth) < 1
    return result.confidence.ravel()[chosen], close.ravel()[chosen]


def test_confidence_is_the_probability_of_an_error_below_one_pixel(data_dir):
    pairs = [matched_pixels(data_dir / scene) for scene in RECORDINGS]
    confidence, close = (np.concatenate(values) for values in zip(*pairs, strict=True))
    for low, high in itertools.pairwise((0.5, 0.6, 0.7, 0.8, 0.9, 1.0)):
        told = (confidence >= low) & (confidence < high)
        assert close[told].mean() == pytest.approx(confidence[told].mean(), abs=0.05)


@pytest.mark.parametrize('width', [320, 1280])
def test_visibility_goes_by_pixels_of_the_image_whatever_size_was_looked_at(width):
    coarse = np.zeros((4, 320), np.float32)
    coarse[:, 160:] = 3 * 320 / width  # three pixels of the image
    seen = visibility(Evidence(coarse, coarse, coarse, coarse, coarse > 0), width)
    np.testing.assert_allclose(seen[:, :160], 1.0)
    np.testing.assert_allclose(seen[:, 160:], 0.25)
