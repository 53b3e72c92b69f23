# SPDX-License-Identifier: Apache-2.0
"""Which disparities are searched: given explicitly, or derived from the depths of interest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vizion3d_ros.contracts.errors import BackendError

if TYPE_CHECKING:
    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings

BLOCK = 16  # the matcher searches whole blocks of this many disparities
DEFAULT_COUNT = 128
# Disparities are counted in 16ths in an int16, where one value must be left for "no match".
MATCHER_LIMIT = 2**15 // 16 - 1


@dataclass(frozen=True, slots=True)
class SearchRange:
    """
    Disparities in pixels of the full image, before doffs.

    first, count: whole disparities tried, first .. first + count - 1.
    low, high: disparities that may be answered; never outside what is tried.
    note: what a user should be told, empty if nothing.
    """

    first: int
    count: int
    low: float
    high: float
    note: str = ''


def scaled_range(first: int, count: int, share: float) -> tuple[int, int]:
    """First disparity and number of disparities of the same images resized by share."""
    scaled = math.floor(first * share)
    return scaled, whole_blocks(math.ceil((first + count - 1) * share) - scaled + 1)


def whole_blocks(count: int) -> int:
    """Round up to what the matcher can search."""
    return max(BLOCK, -(-count // BLOCK) * BLOCK)


def find_search_range(rig: StereoRig, settings: StereoSettings) -> SearchRange:
    """
    Choose the searched disparities for one rig.

    Explicit with sgbm.disparity_range > 0; otherwise those of the depths from min_depth to
    max_depth, d = fx * baseline_m / Z - doffs; 128 from zero if the baseline is unknown.
    Raises BackendError when no disparity of the range fits into the image.
    """
    limit = min(rig.left.width - 1, MATCHER_LIMIT - BLOCK)
    explicit = settings.sgbm.disparity_range
    if explicit:
        return _explicit(settings.sgbm.min_disparity, explicit, limit)
    if rig.focal_baseline is None:
        return _without_baseline(limit)
    return _from_depths(rig, settings, rig.focal_baseline, limit)


def _explicit(first: int, count: int, limit: int) -> SearchRange:
    low, high = _fit(first, first + count - 1, limit, 'sgbm.min_disparity and disparity_range')
    note = ''
    if (low, high) != (first, first + count - 1):
        note = (
            f'disparities {first} to {first + count - 1} were asked for, '
            f'but only {low:g} to {high:g} fit into the image'
        )
    return _covering(low, high, note)


def _without_baseline(limit: int) -> SearchRange:
    high = max(BLOCK, min(DEFAULT_COUNT, limit // BLOCK * BLOCK)) - 1
    note = (
        f'the baseline is unknown, so min_depth and max_depth cannot be used: '
        f'searching disparities 0 to {high}; set baseline_m or sgbm.disparity_range'
    )
    return _covering(0, min(high, limit), note)


def _from_depths(
    rig: StereoRig, settings: StereoSettings, focal_baseline: float, limit: int
) -> SearchRange:
    wanted_low = focal_baseline / settings.max_depth - rig.doffs
    wanted_high = focal_baseline / settings.min_depth - rig.doffs
    low, high = _fit(wanted_low, wanted_high, limit, 'min_depth and max_depth')
    note = ''
    if high < wanted_high:
        note = (
            f'min_depth {settings.min_depth:g} m needs disparity {wanted_high:.0f}, more than '
            f'the image can hold: the nearest depth found is '
            f'{focal_baseline / (high + rig.doffs):.3g} m'
        )
    return _covering(low, high, note)


def _fit(low: float, high: float, limit: int, names: str) -> tuple[float, float]:
    """Clamp to disparities that can land inside the image."""
    if low > limit or high < -limit:
        raise BackendError(
            f'{names} ask for disparities {low:.0f} to {high:.0f}, expected some between '
            f'{-limit} and {limit} for this image size: change them, or check the calibration'
        )
    return max(low, -limit), min(high, limit)


def _covering(low: float, high: float, note: str) -> SearchRange:
    first = math.floor(low)
    return SearchRange(first, whole_blocks(math.ceil(high) - first + 1), low, high, note)
