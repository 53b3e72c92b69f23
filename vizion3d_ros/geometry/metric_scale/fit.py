# SPDX-License-Identifier: Apache-2.0
"""
A relative answer becomes metric: scale and shift from points whose depth was measured.

    points ─ hypotheses from pairs of points ─ best ─ refinement ─ is it to be trusted? ─ scale

The model is 1 / Z = scale * relative + shift. Fitted is the relative error of the depth,
e = (scale * relative + shift) * Z - 1, because both sides err in proportion to the depth: a fit of
1 / Z would listen to near points alone, one of Z to far ones. It is linear in scale and shift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.metric_scale import MetricScale, ScaleFit, ScaleUsed
from vizion3d_ros.contracts.settings.mono_settings import SparseDepthSettings
from vizion3d_ros.geometry.metric_scale.samples import ScaleSamples, Vector, sample

if TYPE_CHECKING:
    from torch import Tensor

    from vizion3d_ros.contracts.commands import MonoCommand

HYPOTHESES = 256  # leaves 64 through two good points when half of the points are good
JUDGES = 500  # points that judge the hypotheses
SHARPNESS = 0.2  # share of the tolerance at which a point agrees by half
ROUNDS = 10
DEVIATION = 1.4826  # standard deviation over median absolute error, for normal errors
TUKEY = 4.685  # deviations at which a point has no weight; 95 % efficient for normal errors
SIGNIFICANT = 3  # standard errors that the scale must be away from zero
LEAST_DEVIATION = 0.005  # no sensor and no network agree better than this but by chance
NOT_MEASURED = 'no sparse depth came with the image'
WIDER = 'the sensor must see near and far things at once'


def fit_image(relative: Tensor | NDArray[np.float32], command: MonoCommand) -> ScaleUsed:
    """Scale of one image by its own sparse depth; relative: float32 (H, W) on any device."""
    if command.sparse_depth is None:
        return ScaleUsed(None, NOT_MEASURED)
    samples = sample(relative, command.sparse_depth)
    fit = fit_scale(samples, command.settings.sparse_depth)
    return ScaleUsed(fit.scale, fit.reason, fit, None if fit.scale is None else 0.0)


def fit_scale(samples: ScaleSamples, settings: SparseDepthSettings) -> ScaleFit:
    """Fit scale and shift, robust against wrong points; the same samples give the same fit."""
    count = samples.depth_m.size
    reason = _unusable(samples, settings)
    if reason:
        return ScaleFit(None, count, 0, 0, np.nan, reason)
    centre, width = samples.relative.mean(), np.ptp(samples.relative)
    spread = (samples.relative - centre) / width
    terms = np.stack([spread * samples.depth_m, samples.depth_m])
    line = _refined(terms, _best_of_many(terms, settings.tolerance), settings.tolerance)
    scale = MetricScale(float(line[0] / width), float(line[1] - line[0] * centre / width))
    return _judged(samples, scale, settings)


def _unusable(samples: ScaleSamples, settings: SparseDepthSettings) -> str:
    count = samples.depth_m.size
    if not all(np.isfinite(values).all() for values in (samples.relative, samples.map_range)):
        return (
            'the relative depth has values that are no numbers: the network failed on this image; '
            'try precision float32'
        )
    if count < settings.min_points:
        return (
            f'{count} points of sparse depth lie in the image, expected at least '
            f'{settings.min_points} (min_points): check the transform, and that the sensor looks '
            'where the camera does'
        )
    if np.ptp(samples.relative) == 0:
        return f'all points see the same relative depth: {WIDER}'
    return ''


def _best_of_many(terms: Vector, tolerance: float) -> Vector:
    """
    RANSAC: of lines through two points each, the one that most points agree with best.

    terms: (2, N), of which line @ terms is 1 at every point of a perfect fit. Agreement fades with
    the error as in Geman and McClure's 1 / (e^2 + c^2): with c well below the tolerance, the line
    through most points beats one that passes between them and the wrong ones.
    """
    random = np.random.default_rng(0)
    one, other = terms[:, random.integers(0, terms.shape[1], (2, HYPOTHESES))].swapaxes(0, 1)
    judges = terms.astype(np.float32)
    if judges.shape[1] > JUDGES:
        judges = judges[:, random.integers(0, judges.shape[1], JUDGES)]
    with np.errstate(all='ignore'):  # points of equal relative depth make no line
        lines = np.stack([other[1] - one[1], one[0] - other[0]], axis=1)
        lines /= (one[0] * other[1] - other[0] * one[1])[:, None]
        errors = lines.astype(np.float32) @ judges
        errors -= 1
        np.square(errors, out=errors)
        errors += (SHARPNESS * tolerance) ** 2
        agreement = np.reciprocal(errors, out=errors).sum(axis=1)
    return np.nan_to_num(lines[np.nan_to_num(agreement).argmax()])


def _refined(terms: Vector, line: Vector, tolerance: float) -> Vector:
    """
    Reweighted least squares with Tukey's biweight, its width following the noise of the points.

    A weight that returns to zero, unlike Huber's, is not drawn aside by a wall of wrong points
    just inside the tolerance.
    """
    for _ in range(ROUNDS):
        errors = np.abs(line @ terms - 1)
        reach = min(TUKEY * _deviation(errors[errors <= tolerance]), tolerance)
        weights = np.square(1 - np.square(np.minimum(errors / reach, 1)))
        weighted = terms * weights
        line = np.linalg.lstsq(weighted @ terms.T, weighted.sum(axis=1), rcond=None)[0]
    return line


def _deviation(errors: Vector) -> float:
    median = float(np.median(errors)) if errors.size else 0.0
    return max(DEVIATION * median, LEAST_DEVIATION)


def _judged(samples: ScaleSamples, scale: MetricScale, settings: SparseDepthSettings) -> ScaleFit:
    errors = np.abs(samples.errors(scale))
    agree = errors <= settings.tolerance
    count, inliers = agree.size, int(agree.sum())
    cells = np.unique(samples.cells[agree]).size
    residual = float(np.median(errors[agree])) if inliers else np.nan
    reason = _too_few(count, inliers, cells, settings) or _too_vague(
        samples, agree, scale, settings.tolerance
    )
    return ScaleFit(None if reason else scale, count, inliers, cells, residual, reason)


def _too_few(count: int, inliers: int, cells: int, settings: SparseDepthSettings) -> str:
    agree = f'{inliers} of {count} points agree within {settings.tolerance:.0%} (tolerance)'
    cure = 'check the transform, the stamps, and how well the network does on such images'
    if inliers < settings.min_points:
        return f'{agree}, expected at least {settings.min_points} (min_points): {cure}'
    if inliers < settings.min_inliers * count:
        return f'{agree}, expected a share of {settings.min_inliers:g} (min_inliers): {cure}'
    if cells < settings.min_cells:
        return (
            f'the points that agree lie in {cells} cells of a 4x4 grid over the image, expected '
            f'at least {settings.min_cells} (min_cells): the sensor must see more of the image'
        )
    return ''


def _too_vague(
    samples: ScaleSamples, agree: NDArray[np.bool_], scale: MetricScale, tolerance: float
) -> str:
    depth, slope = _standard_errors(samples, agree, scale)
    if not (depth <= tolerance and SIGNIFICANT * slope <= abs(scale.scale)):
        return (
            'the points that agree see too little to tell scale from shift (scale '
            f'{scale.scale:.3g} +- {slope:.2g}; depth +- {depth:.2g}, as share, expected at most '
            f'{tolerance:g}, the tolerance): {WIDER}'
        )
    if scale.scale <= 0:
        return (
            f'the scale is {scale.scale:.3g}, expected a positive one: what the sensor calls near '
            'the network calls far; check the transform'
        )
    return ''


def _standard_errors(
    samples: ScaleSamples, agree: NDArray[np.bool_], scale: MetricScale
) -> tuple[float, float]:
    """
    Standard errors: of depth, as share, where the relative map is lowest or highest; of scale.

    A network errs alike within a region, so all points of a cell count as one. Beyond the farthest
    point the inverse depth is taken to be that point's: towards infinity any error is infinite.
    """
    relative, depth_m = samples.relative[agree], samples.depth_m[agree]
    squares = np.square(depth_m)  # what least squares of relative errors weighs points by
    centre = np.average(relative, weights=squares)
    spread = np.sqrt(np.average(np.square(relative - centre), weights=squares))
    independent = np.unique(samples.cells[agree]).size * squares.mean()
    deviation = _deviation(np.abs(samples.errors(scale)[agree])) / np.sqrt(independent)
    ends = np.array(samples.map_range)
    inverse = np.maximum(scale.scale * ends + scale.shift, 1 / depth_m.max())
    with np.errstate(all='ignore'):  # all points alike: infinite, or no number
        depth = deviation * np.hypot(1, (ends - centre) / spread) / inverse
        return float(depth.max()), float(deviation / spread)
