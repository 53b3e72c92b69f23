# SPDX-License-Identifier: Apache-2.0
"""Closing gaps of a disparity map along its rows: those whose content is known, or all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Fill = Literal['none', 'narrow', 'dense']

NARROW_PX = 12
SAME_SURFACE_PX = 2.0
SLANTED_PX = 5.0  # across a wide gap
OCCLUSION_SLACK_PX = 5
# What the slope at the start of a row is taken from: a share of the columns, and rows.
SLOPE_SHARE = 1 / 16
FEWEST_COLUMNS = 12
SLOPE_ROWS = 31
LARGEST_STEP_PX = 1.0  # between neighbours of one surface
STEEPEST = 0.5  # pixels of disparity per pixel


@dataclass(frozen=True, slots=True)
class _Gaps:
    """Runs of missing values and their neighbours, as indices into the flat map."""

    start: NDArray[np.intp]
    width: NDArray[np.intp]
    before: NDArray[np.float32]
    after: NDArray[np.float32]

    def chosen(self, mask: NDArray[np.bool_]) -> _Gaps:
        return _Gaps(self.start[mask], self.width[mask], self.before[mask], self.after[mask])


def fill(disparity: NDArray[np.float32], how: Fill, ratio: float = 1.0) -> NDArray[np.bool_]:
    """
    Fill gaps in place, and return the mask of filled pixels, bool (h, w).

    disparity: float32 (h, w) in pixels of the full left view, NaN = missing.
    ratio: full pixels in a column of this map.

    narrow: only gaps of which the content is known without a match. Those are narrow gaps within
    one surface, linearly, and strips left of a nearer surface that are hidden from the right
    camera. Such a strip is as wide as the disparity jump and belongs to the surface behind.

    dense: then all others. Between neighbours of one surface, maybe a slanted one, linearly; else
    as the farther of the two, since what cannot be matched is mostly hidden behind the nearer
    one. The band at the left, which the right camera does not see, goes on with the slope that
    the surface has where it begins to be seen. Rows without any value are those of the nearest
    row. Only a map without a value stays so.
    """
    missing = np.isnan(disparity)
    if how != 'none':
        _fill_narrow(disparity, ratio)
    if how == 'dense' and not missing.all():
        _fill_empty_rows(disparity)
        _extend_left(disparity, ratio)
        _fill_rest(disparity)
        # Rows are filled apart from each other; what stands out of them is noise.
        np.copyto(disparity, cv2.medianBlur(disparity, 5), where=missing)
    return missing & ~np.isnan(disparity)


def _fill_narrow(disparity: NDArray[np.float32], ratio: float) -> None:
    gaps = _find_gaps(disparity)
    gaps = gaps.chosen(~np.isnan(gaps.before + gaps.after))
    jump = gaps.after - gaps.before
    same = np.abs(jump) <= SAME_SURFACE_PX
    width = gaps.width * ratio
    narrow = same & (width <= NARROW_PX)
    hidden = ~same & (width <= jump + OCCLUSION_SLACK_PX) & (jump > 0)
    _fill_lines(disparity, gaps.chosen(narrow))
    strips = gaps.chosen(hidden)
    _fill_constants(disparity, strips, strips.before)


def _fill_empty_rows(disparity: NDArray[np.float32]) -> None:
    known = ~np.isnan(disparity).all(axis=1)
    rows = np.flatnonzero(known)
    empty = np.flatnonzero(~known)
    if empty.size:
        nearest = np.abs(empty[:, None] - rows).argmin(axis=1)
        disparity[empty] = disparity[rows[nearest]]


def _extend_left(disparity: NDArray[np.float32], ratio: float) -> None:
    """Every row needs a value; ratio as in fill."""
    first = (~np.isnan(disparity)).argmax(axis=1)[:, None]
    band = int(first.max())
    start = np.take_along_axis(disparity, first, axis=1)
    slope = np.clip(_slopes(disparity, first), -STEEPEST * ratio, STEEPEST * ratio)
    column = np.arange(band)
    line = start + slope * (column - first)
    # A surface that falls below every known disparity would soon lie behind infinity.
    line = np.maximum(line, np.minimum(start, np.nanmin(disparity)))
    np.copyto(disparity[:, :band], line.astype(np.float32), where=column < first)


def _slopes(disparity: NDArray[np.float32], first: NDArray[np.intp]) -> NDArray[np.float64]:
    """Pixels per column at the first value of each row, whose columns are first (h, 1)."""
    count = min(max(FEWEST_COLUMNS, round(disparity.shape[1] * SLOPE_SHARE)), disparity.shape[1])
    offset = np.arange(count)
    column = first + offset
    inside = column < disparity.shape[1]
    value = np.take_along_axis(disparity, np.where(inside, column, first), axis=1)
    known = ~np.isnan(value) & inside
    last = np.take_along_axis(value, np.maximum.accumulate(known * offset, axis=1), axis=1)
    step = np.abs(np.diff(last, axis=1, prepend=last[:, :1]))
    weight = (known & ~np.logical_or.accumulate(step > LARGEST_STEP_PX, axis=1)).astype(float)
    rise = np.where(weight > 0, value - value[:, :1], 0)
    moments = (weight, weight * offset, weight * offset**2, rise, rise * offset)
    sums = np.stack([moment.sum(axis=1) for moment in moments], axis=1)
    # Rows of one surface share their slope.
    n, x, xx, y, xy = cv2.blur(sums, (1, SLOPE_ROWS)).T
    # As if a level row, all known, were added to them: none is steep by chance.
    spread = xx * n - x * x + n * count**3 / 12 / SLOPE_ROWS
    return ((xy * n - x * y) / spread)[:, None]


def _fill_rest(disparity: NDArray[np.float32]) -> None:
    gaps = _find_gaps(disparity)
    same = np.abs(gaps.after - gaps.before) <= SLANTED_PX
    _fill_lines(disparity, gaps.chosen(same))
    others = gaps.chosen(~same)
    _fill_constants(disparity, others, np.fmin(others.before, others.after))


def _find_gaps(disparity: NDArray[np.float32]) -> _Gaps:
    height, width = disparity.shape
    # A column of "known" on the left keeps the runs of different rows apart.
    missing = np.zeros((height, width + 1), np.int8)
    missing[:, 1:] = np.isnan(disparity)
    change = np.diff(missing.ravel(), append=np.int8(0))
    start, end = np.flatnonzero(change == 1) + 1, np.flatnonzero(change == -1) + 1
    row, column = np.divmod(start, width + 1)
    first, run = row * width + column - 1, end - start
    flat = disparity.ravel()
    before = np.where(column > 1, flat[first - 1], np.float32(np.nan))
    last = column + run > width
    after = np.where(last, np.float32(np.nan), flat[np.where(last, 0, first + run)])
    return _Gaps(first, run, before, after)


def _places(gaps: _Gaps) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Index of every pixel of the gaps, and its count from the start of its gap."""
    offset = np.arange(gaps.width.sum()) - np.repeat(
        np.cumsum(gaps.width) - gaps.width, gaps.width
    )
    return np.repeat(gaps.start, gaps.width) + offset, offset


def _fill_lines(disparity: NDArray[np.float32], gaps: _Gaps) -> None:
    place, offset = _places(gaps)
    slope = (gaps.after - gaps.before) / (gaps.width + 1)
    line = np.repeat(gaps.before, gaps.width) + np.repeat(slope, gaps.width) * (offset + 1)
    disparity.ravel()[place] = line


def _fill_constants(
    disparity: NDArray[np.float32], gaps: _Gaps, values: NDArray[np.float32]
) -> None:
    place, _ = _places(gaps)
    disparity.ravel()[place] = np.repeat(values, gaps.width)
