# SPDX-License-Identifier: Apache-2.0
"""The part of the depth buffer around one object."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

FLOAT_NOISE = 1e-5
NOISE_PX = 4  # between the pixels that show noise which is not that of each pixel alone
DEVIATIONS = 0.6745 * 6**0.5  # the median of (1, -2, 1) of three
ROWS_APART = 16  # of those that tell the noise
EDGE_PX = 8.0  # how far masks may be too large
EDGE_SHARE = 0.04  # the same, of the size of a mask; the larger counts
MOST_EDGE_PX = 24.0


def wide_noise(inverse: Tensor) -> float:
    """
    Relative noise of inverse depth, float32 (rows, columns), as it shows over some pixels.

    That of stereo matching hardly changes from one pixel to the next.
    """
    return max(_noise_along(each[::ROWS_APART]) for each in (inverse, inverse.T))


def _noise_along(rows: Tensor) -> float:
    """Tell it by the middle one of three pixels, which is on a line through the others."""
    if rows.shape[1] <= 2 * NOISE_PX:
        return 0.0
    before, here, after = (
        rows[:, : -2 * NOISE_PX],
        rows[:, NOISE_PX:-NOISE_PX],
        rows[:, 2 * NOISE_PX :],
    )
    seen = (before > 0) & (here > 0) & (after > 0)
    off = ((before + after - 2 * here).abs() / here)[seen]
    return float(off.median()) / DEVIATIONS if len(off) else 0.0


def edge_px(mask: NDArray[np.bool_], side: int) -> float:
    """How far a mask, bool (h, w), of cells of `side` pixels may be too large, in cells."""
    return min(max(EDGE_PX / side, EDGE_SHARE * np.count_nonzero(mask) ** 0.5), MOST_EDGE_PX)


@dataclass(frozen=True, slots=True)
class Window:
    """
    inverse: float32 (h, w) in 1/m, 0 = nothing there. mask: bool (h, w), of the object; sure: the
    part of it in which the object is for certain.
    """

    inverse: NDArray[np.float32]
    mask: NDArray[np.bool_]
    sure: NDArray[np.bool_]

    def noise(self) -> float:
        """Relative noise of the inverse depth: how a pixel differs from its neighbours' median."""
        within = self.mask & (self.inverse > 0)
        values = self.inverse[within]
        if not len(values):
            return 0.0
        differences = np.abs(values - cv2.medianBlur(self.inverse, 3)[within]) / values
        return float(1.5 * np.median(differences)) + FLOAT_NOISE
