# SPDX-License-Identifier: Apache-2.0
"""Closing narrow gaps of a disparity map along its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NARROW_PX = 8
SAME_SURFACE_PX = 1.5
OCCLUSION_SLACK_PX = 3


@dataclass(frozen=True, slots=True)
class _Gaps:
    """Runs of missing values with a value on both sides, as indices into the flat map."""

    start: NDArray[np.intp]
    width: NDArray[np.intp]
    before: NDArray[np.float32]
    after: NDArray[np.float32]

    def chosen(self, mask: NDArray[np.bool_]) -> _Gaps:
        return _Gaps(self.start[mask], self.width[mask], self.before[mask], self.after[mask])


def fill_gaps(disparity: NDArray[np.float32]) -> NDArray[np.bool_]:
    """
    Fill gaps of which the content is known without a match, in place.

    disparity: float32 (H, W) in pixels of the left view, NaN = missing. Two kinds are filled:
    narrow gaps within one surface, linearly, and strips left of a nearer surface that are
    hidden from the right camera. Such a strip is as wide as the disparity jump and belongs to
    the surface behind. Returns the mask of filled pixels, bool (H, W).
    """
    gaps = _find_gaps(disparity)
    jump = gaps.after - gaps.before
    same = np.abs(jump) <= SAME_SURFACE_PX
    narrow = same & (gaps.width <= NARROW_PX)
    hidden = ~same & (gaps.width <= jump + OCCLUSION_SLACK_PX) & (jump > 0)
    filled = np.zeros(disparity.shape, np.bool_)
    _fill_lines(disparity, filled, gaps.chosen(narrow))
    _fill_constants(disparity, filled, gaps.chosen(hidden))
    return filled


def _find_gaps(disparity: NDArray[np.float32]) -> _Gaps:
    height, width = disparity.shape
    # A column of "known" on the left keeps the runs of different rows apart.
    missing = np.zeros((height, width + 1), np.int8)
    missing[:, 1:] = np.isnan(disparity)
    change = np.diff(missing.ravel(), append=np.int8(0))
    start, end = np.flatnonzero(change == 1) + 1, np.flatnonzero(change == -1) + 1
    row, column = np.divmod(start, width + 1)
    inner = (column > 1) & (column + end - start <= width)
    first = (row * width + column - 1)[inner]
    run = (end - start)[inner]
    flat = disparity.ravel()
    return _Gaps(first, run, flat[first - 1], flat[first + run])


def _places(gaps: _Gaps) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Index of every pixel of the gaps, and its count from the start of its gap."""
    offset = np.arange(gaps.width.sum()) - np.repeat(
        np.cumsum(gaps.width) - gaps.width, gaps.width
    )
    return np.repeat(gaps.start, gaps.width) + offset, offset


def _fill_lines(disparity: NDArray[np.float32], filled: NDArray[np.bool_], gaps: _Gaps) -> None:
    place, offset = _places(gaps)
    slope = (gaps.after - gaps.before) / (gaps.width + 1)
    line = np.repeat(gaps.before, gaps.width) + np.repeat(slope, gaps.width) * (offset + 1)
    disparity.ravel()[place] = line
    filled.ravel()[place] = True


def _fill_constants(
    disparity: NDArray[np.float32], filled: NDArray[np.bool_], gaps: _Gaps
) -> None:
    place, _ = _places(gaps)
    disparity.ravel()[place] = np.repeat(gaps.before, gaps.width)
    filled.ravel()[place] = True
