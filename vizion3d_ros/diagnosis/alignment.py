# SPDX-License-Identifier: Apache-2.0
"""What the matched points say of the rig: other rows, a turn, another zoom, swapped sides."""

from __future__ import annotations

import math

import numpy as np

from vizion3d_ros.contracts.calibration.wording import Wording
from vizion3d_ros.diagnosis.matches import Floats, Matches

FEWEST = 6  # matches that prove something
MOST_ROWS = 1.8  # which three quarters of the matches must exceed
MOST_TURN = 4.0  # rows from one border of the image to the other
IMPOSSIBLE = -1.5  # corrected disparity: nothing is beyond infinity but by a measuring error
SWAPPED = 0.35  # share of the matches beyond infinity


def rows_off(matches: Matches) -> float:
    """By how many pixels the right image is lower than the left one; NaN if nobody knows."""
    return float(np.median(matches.rows)) if matches.found >= FEWEST else math.nan


def explain_alignment(
    matches: Matches, shape: tuple[int, ...], doffs: float, wording: Wording
) -> list[str]:
    """Say what keeps the rows from meeting; shape: (H, W, ...) of images, doffs: of the rig."""
    if matches.found < FEWEST:
        return []
    swapped, askew = _swapped(matches, doffs), _askew(matches, *shape[:2])
    exchange = wording.exchange
    if swapped and not _swapped(matches, 0.0):
        exchange += (
            f', or correct doffs ({doffs:g} px, cx of the right image - cx of the left one)'
        )
    return [
        *([f'{swapped}: {exchange}'] if swapped else []),
        *([f'{askew}: the pair is not rectified: {wording.rectify}'] if askew else []),
    ]


def _askew(matches: Matches, height: int, width: int) -> str:
    turned = width * _slope(matches.x, matches.rows, width)
    larger = height * _slope(matches.y, matches.rows, height)
    if max(abs(turned), abs(larger)) < MOST_TURN:
        return _shifted(matches)
    return _turned(turned, width) if abs(turned) > abs(larger) else _scaled(larger, height)


def _swapped(matches: Matches, doffs: float) -> str:
    share = float((matches.disparity + doffs < IMPOSSIBLE).mean())
    if share < SWAPPED:
        return ''
    return (
        f'left and right images are swapped: {share:.0%} of {matches.found} matches lie at '
        'negative disparity, beyond infinity'
    )


def _shifted(matches: Matches) -> str:
    """Tell a common vertical offset; one that comes and goes with the distance is smaller."""
    least, most = np.percentile(matches.rows, (25, 75))
    if max(least, -most) < MOST_ROWS:
        return ''
    offset = rows_off(matches)
    return (
        f'right image is {abs(offset):.1f} px {"lower" if offset > 0 else "higher"} than the left '
        'one (rows must agree within 1 px)'
    )


def _turned(rows: float, width: int) -> str:
    angle = math.degrees(math.atan(rows / width))
    way = 'clockwise' if angle > 0 else 'counterclockwise'
    return (
        f'right image is turned {way} by {abs(angle):.1f} degrees against the left one, '
        f'{abs(rows):.0f} rows from side to side'
    )


def _scaled(rows: float, height: int) -> str:
    return (
        f'right image shows all {100 * abs(rows) / height:.1f} % '
        f'{"larger" if rows > 0 else "smaller"} than the left one, {abs(rows):.0f} rows from top '
        f'to bottom, as with another zoom or focal length'
    )


def _slope(places: Floats, rows: Floats, size: int) -> float:
    """Rows per pixel by Theil and Sen: the median over all pairs of points far enough apart."""
    one, other = np.triu_indices(places.size, 1)
    distances = places[one] - places[other]
    apart = np.abs(distances) > size / 8
    slopes = (rows[one] - rows[other])[apart] / distances[apart]
    return float(np.median(slopes)) if slopes.size >= FEWEST else 0.0
