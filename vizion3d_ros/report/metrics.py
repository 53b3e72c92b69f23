# SPDX-License-Identifier: Apache-2.0
"""Scores of disparity and depth maps against ground truth; shares are fractions of 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vizion3d_ros.contracts.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NO_VALUE = float('nan')


@dataclass(frozen=True, slots=True)
class DisparityScores:
    """
    Benchmark figures over the pixels with ground truth; NaN where nothing was answered.

    density: share of those pixels with an answer.
    bad_1, bad_2: share off by more than 1 or 2 px, a missing answer counted as wrong.
    bad_1_answered, bad_2_answered: the same share of the answered pixels alone.
    epe: mean absolute error of the answered pixels, in pixels.
    """

    density: float
    bad_1: float
    bad_2: float
    bad_1_answered: float
    bad_2_answered: float
    epe: float


@dataclass(frozen=True, slots=True)
class DepthScores:
    """
    Depth against ground truth; errors are |Z - truth| / truth of pixels that have both.

    valid_share: share of all pixels with a depth, ground truth or not.
    error_median, error_p95: relative errors; NaN where there is nothing to compare.
    """

    valid_share: float
    error_median: float
    error_p95: float


def disparity_scores(
    truth: NDArray[np.floating], estimate: NDArray[np.floating]
) -> DisparityScores:
    """
    Score disparities in pixels, x_left - x_right, of any equal shape.

    truth: NaN = unknown. estimate: NaN, infinite, zero and negative all mean "no answer".
    The rules are those of the Middlebury stereo evaluation (Scharstein and Szeliski 2002).
    Raises InputError on a shape mismatch or when no pixel has ground truth.
    """
    _check_shapes(truth, estimate)
    known = np.isfinite(truth)
    total = int(known.sum())
    if not total:
        raise InputError('no pixel has ground truth, expected at least one finite disparity')
    both = known & measured(estimate)
    error = np.abs(estimate[both].astype(np.float64) - truth[both])
    wrong_1, wrong_2 = int((error > 1).sum()), int((error > 2).sum())
    missing = total - error.size
    return DisparityScores(
        density=error.size / total,
        bad_1=(wrong_1 + missing) / total,
        bad_2=(wrong_2 + missing) / total,
        bad_1_answered=wrong_1 / error.size if error.size else NO_VALUE,
        bad_2_answered=wrong_2 / error.size if error.size else NO_VALUE,
        epe=float(error.mean()) if error.size else NO_VALUE,
    )


def depth_scores(truth_m: NDArray[np.floating], depth_m: NDArray[np.floating]) -> DepthScores:
    """
    Score depths in metres of any equal shape; NaN, infinite and <= 0 mean "no depth".

    Raises InputError on a shape mismatch.
    """
    error = relative_error(truth_m, depth_m)
    median, p95 = percentiles(error[np.isfinite(error)], (50, 95))
    return DepthScores(valid_share(depth_m), median, p95)


def relative_error(
    truth_m: NDArray[np.floating], depth_m: NDArray[np.floating]
) -> NDArray[np.float64]:
    """
    Give |depth - truth| / truth as a fraction, the shape of the inputs, NaN without both.

    Raises InputError on a shape mismatch.
    """
    return absolute_error(truth_m, depth_m) / np.where(measured(truth_m), truth_m, np.nan)


def absolute_error(
    truth: NDArray[np.floating], estimate: NDArray[np.floating]
) -> NDArray[np.float64]:
    """
    Give |estimate - truth|, the shape of the inputs, NaN unless both are measured.

    Raises InputError on a shape mismatch.
    """
    _check_shapes(truth, estimate)
    both = measured(truth) & measured(estimate)
    error = np.full(truth.shape, np.nan)
    error[both] = np.abs(estimate[both].astype(np.float64) - truth[both])
    return error


def measured(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Tell where a map of any shape holds a depth or disparity: finite and above zero."""
    return np.asarray(np.isfinite(values) & (values > 0))


def valid_share(values: NDArray[np.floating]) -> float:
    """Share of all pixels with a measurement, of a map of any shape; NaN for an empty one."""
    return float(measured(values).mean()) if values.size else NO_VALUE


def percentiles(
    values: NDArray[np.floating] | Sequence[float], percents: Sequence[float]
) -> list[float]:
    """Percentiles of values (N,) with linear interpolation; NaN for each when there are none."""
    if len(values) == 0:
        return [NO_VALUE] * len(percents)
    return [float(value) for value in np.percentile(values, percents)]


def _check_shapes(truth: NDArray[np.floating], estimate: NDArray[np.floating]) -> None:
    if truth.shape != estimate.shape:
        raise InputError(
            f'ground truth has shape {truth.shape}, the estimate {estimate.shape}: '
            'both must be of the same image'
        )
