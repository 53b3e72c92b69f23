# SPDX-License-Identifier: Apache-2.0
"""The errors of public pairs, which the constants of the matcher were chosen on, stay as low."""

import numpy as np
import pytest
from sgbm_scenes import RECORDINGS, match, recording

from vizion3d_ros.report.metrics import disparity_scores


def scores_of(folder, **wanted):
    """Density, bad-2.0 with missing = wrong, EPE in px of the answered pixels."""
    left, right, truth = recording(folder)
    count = 16 * int(np.ceil((np.nanmax(truth) + 1) / 16))
    result = match(left, right, disparity_range=count, **wanted)
    scores = disparity_scores(truth, result.disparity)
    return scores.density, scores.bad_2, scores.epe


@pytest.mark.parametrize(
    ('preset', 'fill', 'density', 'bad_2', 'epe'),
    [
        ('fast', 'narrow', 0.91, 0.152, 1.09),
        ('balanced', 'narrow', 0.905, 0.135, 0.81),
        ('quality', 'narrow', 0.90, 0.137, 0.71),
        ('fast', 'dense', 0.999, 0.091, 1.43),
        ('balanced', 'dense', 0.999, 0.065, 1.06),
        ('quality', 'dense', 0.999, 0.064, 0.99),
    ],
)
def test_errors_of_recordings_stay_low(data_dir, preset, fill, density, bad_2, epe):
    every = [scores_of(data_dir / scene, preset=preset, fill=fill) for scene in RECORDINGS]
    mean_density, mean_bad_2, mean_epe = np.mean(every, axis=0)
    assert mean_density > density
    assert mean_bad_2 < bad_2
    assert mean_epe < epe
