# SPDX-License-Identifier: Apache-2.0
"""
The scale in force from image to image: smoothed over time, kept for a while without points.

    relative, points of one image ─ sample ─ fit ─ smooth ─┬─ scale in force
                         no points, or a refused fit ─ keep ┘

Time is that of the image stamps, so that a bag gives the same at any speed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vizion3d_ros.contracts.metric_scale import MetricScale, ScaleFit, ScaleUsed
from vizion3d_ros.contracts.settings.mono_settings import SparseDepthSettings
from vizion3d_ros.geometry.metric_scale.fit import fit_scale
from vizion3d_ros.geometry.metric_scale.samples import ScaleSamples, sample

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from vizion3d_ros.contracts.commands import MonoCommand

BACK_NS = 100_000_000  # images may overtake each other by this much; more is a bag that loops
NO_POINTS = 'no sparse depth has arrived yet: check that its topic is published and connected'
NONE_SINCE = 'no sparse depth has arrived since'
NO_SCALE_YET = ScaleUsed(None, NO_POINTS)


@dataclass(frozen=True, slots=True)
class _Good:
    scale: MetricScale
    stamp_ns: int


class ScaleTracker:
    """Turns the sparse depth of one image after another into the scale in force; one thread."""

    def __init__(self) -> None:
        """Begin without a scale."""
        self._last_ns: int | None = None
        self._network: Mapping[str, Any] | None = None
        self._forget()

    def update(self, relative: Tensor | NDArray[np.float32], command: MonoCommand) -> ScaleUsed:
        """
        Take one image in: its relative map, float32 (H, W) on any device, and its command.

        Gives the scale in force. A stamp well before the last one, or another network, makes it
        forget all that came before.
        """
        settings, stamp_ns = command.settings.sparse_depth, command.stamp_ns
        if self._begins_anew(command):
            self._forget()
        self._last_ns, self._network = stamp_ns, command.settings.loaded
        if command.sparse_depth is not None:
            self._measure(sample(relative, command.sparse_depth), settings, stamp_ns)
        return self._assess(settings, stamp_ns)

    def _forget(self) -> None:
        self._good: _Good | None = None
        self._fit: ScaleFit | None = None

    def _begins_anew(self, command: MonoCommand) -> bool:
        went_back = self._last_ns is not None and command.stamp_ns < self._last_ns - BACK_NS
        return went_back or command.settings.loaded != self._network

    def _measure(
        self, samples: ScaleSamples, settings: SparseDepthSettings, stamp_ns: int
    ) -> None:
        self._fit = fit_scale(samples, settings)
        if self._fit.scale is not None:
            scale = self._smoothed(self._fit.scale, samples, settings, stamp_ns)
            self._good = _Good(scale, stamp_ns)

    def _smoothed(
        self,
        fresh: MetricScale,
        samples: ScaleSamples,
        settings: SparseDepthSettings,
        stamp_ns: int,
    ) -> MetricScale:
        """
        Move from the last scale towards the fresh one, or take the fresh one as it is.

        It is taken when the smoothed one would put the agreeing points off by more than half the
        tolerance (median): the scene was cut. Compared are the two predictions and not their
        errors, so that noisy points do not end the smoothing they need most.
        """
        if self._good is None or settings.smoothing == 0:
            return fresh
        last, elapsed = self._good.scale, _seconds(self._good.stamp_ns, stamp_ns)
        weight = -math.expm1(-elapsed / settings.smoothing)
        smoothed = MetricScale(
            last.scale + weight * (fresh.scale - last.scale),
            last.shift + weight * (fresh.shift - last.shift),
        )
        errors = samples.errors(fresh)
        moved = np.abs(samples.errors(smoothed) - errors)
        agree = np.abs(errors) <= settings.tolerance
        return fresh if np.median(moved[agree]) > settings.tolerance / 2 else smoothed

    def _assess(self, settings: SparseDepthSettings, stamp_ns: int) -> ScaleUsed:
        cause = self._fit.reason if self._fit else ''
        if self._good is None:
            return ScaleUsed(None, cause or NO_POINTS, self._fit)
        age, limit = _seconds(self._good.stamp_ns, stamp_ns), settings.max_age
        if age <= limit:
            return ScaleUsed(self._good.scale, '', self._fit, age)
        reason = f'the last good fit is {age:.1f} s old (max_age {limit:g}): {cause or NONE_SINCE}'
        return ScaleUsed(None, reason, self._fit, age)


def _seconds(begin_ns: int, end_ns: int) -> float:
    return max(end_ns - begin_ns, 0) * 1e-9
