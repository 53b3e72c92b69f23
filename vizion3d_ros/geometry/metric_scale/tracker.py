# SPDX-License-Identifier: Apache-2.0
"""
The scale in force from image to image: smoothed over time, kept for a while without points.

    relative, points of one image ─ sample ─ fit ─ smooth ─┬─ scale in force
                         no points, or a refused fit ─ keep ┘

Time is that of the image stamps, so that a bag gives the same at any speed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vizion3d_ros.contracts.commands import MetricScale
from vizion3d_ros.contracts.settings.mono_settings import SparseDepthSettings
from vizion3d_ros.geometry.metric_scale.fit import ScaleFit, fit_scale
from vizion3d_ros.geometry.metric_scale.samples import ScaleSamples, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from vizion3d_ros.geometry.metric_scale.sparse_depth import SparseDepth

BACK_NS = 100_000_000  # images may overtake each other by this much; more is a bag that loops
NO_POINTS = 'no sparse depth has arrived yet: check that its topic is published and connected'
NONE_SINCE = 'no sparse depth has arrived since'


@dataclass(frozen=True, slots=True)
class ScaleState:
    """
    What was known after an image.

    scale: in force, None while there is none; reason: '' with a scale, else why there is none.
    fit: of the last image with points, None before the first. age: seconds from the last good
    fit to the image, None before the first.
    """

    scale: MetricScale | None = None
    reason: str = NO_POINTS
    fit: ScaleFit | None = None
    age: float | None = None


@dataclass(frozen=True, slots=True)
class _Good:
    scale: MetricScale
    stamp_ns: int


class ScaleTracker:
    """
    Turns the points of one image after another into the scale in force.

    For use by one thread; `state` is replaced as a whole and may be read by any. `settings` may be
    replaced between images.
    """

    def __init__(self, settings: SparseDepthSettings) -> None:
        """Begin without a scale."""
        self.settings = settings
        self.reset()

    def reset(self) -> None:
        """Forget everything but the settings."""
        self.state = ScaleState()
        self._good: _Good | None = None
        self._last_ns: int | None = None

    def update(
        self,
        relative: Tensor | NDArray[np.float32],
        sparse: SparseDepth | None,
        stamp_ns: int,
    ) -> MetricScale | None:
        """
        Take one image in: its relative map, float32 (H, W) on any device, and its points, if any.

        Returns the scale in force, None if there is none. A stamp well before the last one makes
        it forget all that came before.
        """
        if self._last_ns is not None and stamp_ns < self._last_ns - BACK_NS:
            self.reset()
        self._last_ns = stamp_ns
        fit = self.state.fit
        if sparse is not None:
            fit = self._measure(sample(relative, sparse), stamp_ns)
        self.state = self._assess(fit, stamp_ns)
        return self.state.scale

    def _measure(self, samples: ScaleSamples, stamp_ns: int) -> ScaleFit:
        fit = fit_scale(samples, self.settings)
        if fit.scale is not None:
            self._good = _Good(self._smoothed(fit.scale, samples, stamp_ns), stamp_ns)
        return fit

    def _smoothed(self, fresh: MetricScale, samples: ScaleSamples, stamp_ns: int) -> MetricScale:
        """
        Move from the last scale towards the fresh one, or take the fresh one as it is.

        It is taken when the smoothed one would put the agreeing points off by more than half the
        tolerance (median): the scene was cut. Compared are the two predictions and not their
        errors, so that noisy points do not end the smoothing they need most.
        """
        if self._good is None or self.settings.smoothing == 0:
            return fresh
        last, elapsed = self._good.scale, _seconds(self._good.stamp_ns, stamp_ns)
        weight = -math.expm1(-elapsed / self.settings.smoothing)
        smoothed = MetricScale(
            last.scale + weight * (fresh.scale - last.scale),
            last.shift + weight * (fresh.shift - last.shift),
        )
        errors = samples.errors(fresh)
        moved = np.abs(samples.errors(smoothed) - errors)
        agree = np.abs(errors) <= self.settings.tolerance
        return fresh if np.median(moved[agree]) > self.settings.tolerance / 2 else smoothed

    def _assess(self, fit: ScaleFit | None, stamp_ns: int) -> ScaleState:
        if self._good is None:
            return ScaleState(reason=fit.reason if fit else NO_POINTS, fit=fit)
        age, limit = _seconds(self._good.stamp_ns, stamp_ns), self.settings.max_age
        if age <= limit:
            return ScaleState(self._good.scale, '', fit, age)
        cause = (fit and fit.reason) or NONE_SINCE
        reason = f'the last good fit is {age:.1f} s old (max_age {limit:g}): {cause}'
        return ScaleState(None, reason, fit, age)


def _seconds(begin_ns: int, end_ns: int) -> float:
    return max(end_ns - begin_ns, 0) * 1e-9
