# SPDX-License-Identifier: Apache-2.0
"""Which of the searched disparities a scene has, told by its coarse right view."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2

from vizion3d_ros.engine.sgbm.search_range import whole_blocks
from vizion3d_ros.engine.sgbm.semiglobal import NO_MATCH, STEPS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vizion3d_ros.engine.sgbm.matched_size import GreyPair

# Of the view, for one surface: what was matched at random is smaller, and reaches everywhere.
LEAST_SHARE = 1 / 2000
MARGIN_PX = 2  # coarse pixels that a surface may be off there


def in_scene(pair: GreyPair, right: NDArray[np.int16]) -> GreyPair:
    """
    Narrow what is searched to what the right view found, since time goes with the disparities.

    right: disparity of the right view at a coarse size, in 16ths of its pixels, int16 (h, w), of
    the same search; left as it is.
    """
    surfaces = right.copy()
    cv2.filterSpeckles(surfaces, NO_MATCH, math.ceil(right.size * LEAST_SHARE), STEPS)
    known = surfaces[surfaces != NO_MATCH]
    if not known.size:
        return pair
    ratio = pair.left.shape[1] / right.shape[1]
    low, high = (ratio * float(end) / STEPS for end in (known.min(), known.max()))
    first = max(math.floor(low - ratio * MARGIN_PX), pair.first)
    last = min(math.ceil(high + ratio * MARGIN_PX), pair.first + pair.count - 1)
    count = whole_blocks(last - first + 1)
    return replace(pair, first=first, count=count) if count < pair.count else pair
