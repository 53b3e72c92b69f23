# SPDX-License-Identifier: Apache-2.0
"""The part of the depth buffer around one object."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FLOAT_NOISE = 1e-5
EDGE_PX = 8.0  # how far masks may be too large
EDGE_SHARE = 0.04  # the same, of the size of a mask; the larger counts
MOST_EDGE_PX = 24.0


def edge_px(mask: NDArray[np.bool_], side: int) -> float:
    """How far a mask of cells of `side` pixels may be too large, in cells."""
    return min(max(EDGE_PX / side, EDGE_SHARE * np.count_nonzero(mask) ** 0.5), MOST_EDGE_PX)


@dataclass(frozen=True, slots=True)
class Window:
    """inverse: float32 (h, w) in 1/m, 0 = nothing there; mask: bool (h, w), of the object."""

    inverse: NDArray[np.float32]
    mask: NDArray[np.bool_]

    def noise(self) -> float:
        """Relative noise of the inverse depth: how a pixel differs from its neighbours' median."""
        within = self.mask & (self.inverse > 0)
        values = self.inverse[within]
        if not len(values):
            return 0.0
        differences = np.abs(values - cv2.medianBlur(self.inverse, 3)[within]) / values
        return float(1.5 * np.median(differences)) + FLOAT_NOISE
