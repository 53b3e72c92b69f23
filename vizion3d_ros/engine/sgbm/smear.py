# SPDX-License-Identifier: Apache-2.0
"""
How far the noise of a camera is smeared over neighbours, by demosaicing, denoising or scaling.

Smeared noise correlates by chance more than noise that is independent from pixel to pixel: n
pixels tell as much as n / sum(rho^2) of them, rho being the noise's correlation with itself, one
term for each shift (Bartlett, Journal of the Royal Statistical Society, Supplement 8, 1946).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatMap = NDArray[np.float32]

# Where nothing but noise is left, if such places are: the least lively of the picture.
FLAT_SHARE = 0.2
FLAT_WINDOW = (25, 1)
STRIDE = 8  # every 8th row and column are enough to estimate from
FARTHEST_SHIFT = 3
FEWEST_PIXELS = 100
# A weak texture is taken for smeared noise: more than this would cost real matches.
MOST = 1.75


def smear(detail: FloatMap) -> float:
    """
    Factor, 1 to 1.75, by which chance correlations exceed those of independent noise.

    detail: the left image without its local mean, float32 (h, w).
    """
    across = _along(detail[::STRIDE])
    down = _along(np.ascontiguousarray(detail[:, ::STRIDE].T))
    return float(min(MOST, across * down))


def _along(rows: FloatMap) -> float:
    """Sum of the squared correlations over the shifts along the rows."""
    power = cv2.sqrBoxFilter(rows, -1, FLAT_WINDOW)
    flat = power <= np.quantile(power[:, ::STRIDE], FLAT_SHARE)
    noise = np.where(flat, rows, np.float32(0))
    variance = float((noise**2).mean() / max(flat.mean(), 1e-9))
    total = 1.0
    for shift in range(1, FARTHEST_SHIFT + 1):
        pairs = int(np.count_nonzero(flat[:, shift:] & flat[:, :-shift]))
        if variance and pairs >= FEWEST_PIXELS:
            common = float((noise[:, shift:] * noise[:, :-shift]).sum()) / pairs
            total += 2 * (common / variance) ** 2
    return total
