# SPDX-License-Identifier: Apache-2.0
"""
Where a few dozen corners of the left image are in the right one, above, below and to all sides.

A matcher looks along one row and within its search range; what it therefore cannot see is found
here, by normalised correlation: on small images first, then on a spot of the full ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.diagnosis.views import Pixels

Floats = NDArray[np.float64]
MOST_CORNERS = 32
SPACING = 18  # between corners, in pixels of the small image, as all up to FINE_HALF
HALF = 5  # of the side of a patch
ROWS = 8  # searched up and down
UNIQUE = 3  # a second peak counts from this distance on
FINE_HALF = 10  # of the side of a patch in the full image
LIKE = 0.8  # least correlation
BETTER = 0.1  # by which it must exceed that of any other place


@dataclass(frozen=True, slots=True)
class Matches:
    """
    Points found in both images, float64 (N,) each, in pixels of the full images.

    x, y: in the left one. disparity: x_left - x_right, before doffs. rows: y_right - y_left.
    tried: corners that were looked for. reach: rows searched up and down.
    """

    x: Floats
    y: Floats
    disparity: Floats
    rows: Floats
    tried: int
    reach: int

    @property
    def found(self) -> int:
        """How many were found."""
        return self.x.size


@dataclass(frozen=True, slots=True)
class GreyPair:
    """Both images, uint8 (H, W), and shrunk by factor, uint8 (h, w)."""

    left: Pixels
    right: Pixels
    small_left: Pixels
    small_right: Pixels
    factor: int


def find_matches(pair: GreyPair) -> Matches:
    """Look for the corners of the left image in the right one; repeated textures are left out."""
    corners = _corners(pair.small_left)
    found = [match for match in (_match(pair, x, y) for x, y in corners) if match]
    x, y, disparity, rows = np.array(found, np.float64).reshape(-1, 4).T
    return Matches(x, y, disparity, rows, tried=len(corners), reach=ROWS * pair.factor)


def _corners(small: Pixels) -> list[tuple[int, int]]:
    """Find corners whose patches and searched rows lie inside the image, (x, y) each."""
    mask = np.zeros(small.shape, np.uint8)
    mask[HALF + ROWS : -HALF - ROWS, HALF:-HALF] = 255
    found = cv2.goodFeaturesToTrack(small, MOST_CORNERS, 0.01, SPACING, mask=mask)
    return [] if found is None else [(int(x), int(y)) for x, y in found.reshape(-1, 2)]


def _match(pair: GreyPair, x: int, y: int) -> tuple[float, float, float, float] | None:
    """Find one corner: x, y, disparity and rows in the full images; None if it is not there."""
    strip = pair.small_right[y - HALF - ROWS : y + HALF + ROWS + 1]
    alike = cv2.matchTemplate(strip, _patch(pair.small_left, x, y, HALF), cv2.TM_CCOEFF_NORMED)
    peak, (column, row) = cv2.minMaxLoc(alike)[1::2]
    near = (slice(max(0, i - UNIQUE), i + UNIQUE + 1) for i in (row, column))
    alike[tuple(near)] = -1
    if not peak > max(LIKE, alike.max() + BETTER):
        return None
    place = x * pair.factor, y * pair.factor
    shift = (column + HALF - x) * pair.factor, (row - ROWS) * pair.factor
    moved = _refine(pair, place, shift)
    return None if moved is None else (*place, -moved[0], moved[1])


def _refine(
    pair: GreyPair, place: tuple[int, int], shift: tuple[int, int]
) -> tuple[float, float] | None:
    """Tell a shift, right - left, to fractions of a pixel; None at the border."""
    reach = FINE_HALF + pair.factor + 1
    there = place[0] + shift[0], place[1] + shift[1]
    if not (_inside(pair.left, *place, FINE_HALF) and _inside(pair.right, *there, reach)):
        return None
    spot = _patch(pair.right, *there, reach)
    patch = _patch(pair.left, *place, FINE_HALF)
    alike = cv2.matchTemplate(spot, patch, cv2.TM_CCOEFF_NORMED)
    peak, (column, row) = cv2.minMaxLoc(alike)[1::2]
    if not peak > LIKE:
        return None
    around = pair.factor + 1
    return (
        shift[0] + column - around + _fraction(alike[row], column),
        shift[1] + row - around + _fraction(alike[:, column], row),
    )


def _patch(image: Pixels, x: int, y: int, half: int) -> Pixels:
    return image[y - half : y + half + 1, x - half : x + half + 1]


def _inside(image: Pixels, x: int, y: int, half: int) -> bool:
    height, width = image.shape
    return half <= x < width - half and half <= y < height - half


def _fraction(values: NDArray[np.float32], peak: int) -> float:
    """Offset of the top of the parabola through a peak and its neighbours, -0.5 to 0.5."""
    if not 0 < peak < values.size - 1:
        return 0.0
    before, at, after = map(float, values[peak - 1 : peak + 2])
    bend = before - 2 * at + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
