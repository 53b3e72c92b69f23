# SPDX-License-Identifier: Apache-2.0
"""How many disparities to search on a pair, as stereo benchmarks do it: enough, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class SearchRange:
    """Search 0 to disparities pixels; None = the node derives the range from its depths."""

    disparities: int | None
    reason: str


def search_range(
    asked: int | None, truth: NDArray[np.float32] | None, ndisp: int | None, width: int
) -> SearchRange:
    """Take what was asked for, else the ground truth, else what the calibration file says.

    truth: float32 (H, W) pixels, NaN = unknown. ndisp: from calib.txt; half the image width or
    more is a way of saying that there is no limit. The matcher wants a multiple of 16.
    """
    if asked:
        return _rounded(asked, 'as asked')
    if truth is not None and np.isfinite(truth).any():
        return _rounded(float(truth[np.isfinite(truth)].max()) + 1, 'covers the ground truth')
    if ndisp and ndisp < width / 2:
        return _rounded(ndisp, 'ndisp of calib.txt')
    return SearchRange(None, "from the node's min_depth and max_depth")


def _rounded(disparities: float, reason: str) -> SearchRange:
    count = 16 * ceil(disparities / 16)
    return SearchRange(count, f'0 to {count} px ({reason})')
