# SPDX-License-Identifier: Apache-2.0
"""
Swapped sides of a rig whose axes meet (doffs above 0), where no disparity need be negative.

Where the left camera sees past an object, the matcher leaves a gap in the farther surface, and the
outline of the object is on the nearer side of the gap. Of swapped images it is on the other side,
as far and near have changed places.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.diagnosis.views import Pixels

LEAST_DOFFS = 10.0  # of a rig that is looked at so; below, matches beyond infinity tell
ROW_STEP = 2
GAP = (3, 80)  # pixels; narrower ones are noise, wider ones hide more than an edge
LEAST_JUMP = 3.0  # of the disparity
REACH = 3  # pixels around the ends of a gap in which an outline may be
FEWEST_GAPS = 24
MOST_OUTLINES = 0.35  # share of the gaps with theirs on the nearer side; 0.57 to 0.85 if well
LEAST_CONTRAST = 0.2  # mean of (farther - nearer) / (farther + nearer) of the outlines' strength


def explain_edges(left: Pixels, disparity: NDArray[np.float32]) -> str:
    """
    Say that the images seem to be swapped, '' if not.

    left: uint8 (H, W). disparity: float32 (H, W), NaN = none.
    """
    rows, begins, ends = _gaps(disparity)
    if rows.size < FEWEST_GAPS:
        return ''
    slope = np.abs(cv2.Sobel(cv2.GaussianBlur(left, (0, 0), 1.0), cv2.CV_32F, 1, 0))
    farther, nearer = (_strongest(slope, rows, columns) for columns in (begins, ends))
    share = float((nearer > farther).mean())
    contrast = float(((farther - nearer) / (farther + nearer + 1e-3)).mean())
    if share > MOST_OUTLINES or contrast < LEAST_CONTRAST:
        return ''
    return (
        f'left and right images seem to be swapped: at {1 - share:.0%} of {rows.size} edges in '
        'depth the farther side hides the nearer one: exchange the remappings of left/image_rect '
        'and right/image_rect, or the cameras'
    )


def _gaps(disparity: NDArray[np.float32]) -> tuple[NDArray[np.int64], ...]:
    """Row, last column before and first one behind every gap from a far to a near surface."""
    sampled = disparity[::ROW_STEP]
    width = sampled.shape[1]
    valid = np.flatnonzero(np.isfinite(sampled))
    values = sampled.ravel()[valid]
    wide = np.diff(valid) - 1
    jump = np.diff(values)
    begins, ends = valid[:-1], valid[1:]
    hides = (wide >= GAP[0]) & (wide < GAP[1]) & (jump > LEAST_JUMP)
    hides &= np.abs(jump - wide) < jump / 2 + 2  # a gap of what is hidden is as wide as the jump
    hides &= (begins // width == ends // width) & (begins % width >= REACH)
    hides &= ends % width < width - REACH
    begins, ends = begins[hides], ends[hides]
    return begins // width * ROW_STEP, begins % width, ends % width


def _strongest(
    slope: NDArray[np.float32], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float32]:
    around = columns[:, None] + np.arange(-REACH, REACH + 1)
    return np.asarray(slope[rows[:, None], around].max(axis=1))
