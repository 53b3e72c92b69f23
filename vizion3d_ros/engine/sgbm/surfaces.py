# SPDX-License-Identifier: Apache-2.0
"""Edges of a disparity map where the image has them, and smooth surfaces between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from vizion3d_ros.engine.sgbm.evidence import relief
from vizion3d_ros.engine.sgbm.semiglobal import NO_MATCH, STEPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatMap = NDArray[np.float32]
    IntMap = NDArray[np.int16]

WINDOW = 5  # without an edge in it, its mean is taken
EDGE_PX = 3  # a larger range of disparities in the window is an edge
# Every other pixel of a grid is asked, in pixels of the full image.
REACH_PX = 6
STRIDE_PX = 3
# Of a neighbour that differs by so many grey levels. 13 of them have to fit into an int16.
WEIGHTS = np.rint(127 * np.exp(np.arange(256) / -12.0)).astype(np.int16)
HALVINGS = 3
CHUNK = 8192  # pixels whose surroundings stay in the cache
FAR_PX = np.float32(1e6)  # where no disparity is


def refine(
    disparity: FloatMap,
    grey: NDArray[np.uint8],
    pixels: tuple[float, float],
    where: NDArray[np.bool_],
) -> None:
    """
    Smooth a disparity map within its surfaces, and move its edges to those of the image.

    disparity: float32 (h, w) in pixels of the full image, NaN = missing, changed in place.
    grey: uint8 (h, w), the left image.
    pixels: rows and columns of the full image in one of the map.
    where: bool (h, w), what may be changed; nothing that is missing.

    At an edge a pixel gets the weighted median of its surroundings, where neighbours that look
    like it weigh more (Ma et al., "Constant time weighted median filtering for stereo matching
    and beyond", ICCV 2013).
    """
    missing = np.isnan(disparity)
    known = np.where(missing, -FAR_PX, disparity)
    # What is missing becomes NO_MATCH, the least of all int16, as values are clipped to them.
    sixteenths = np.asarray(cv2.multiply(known, STEPS, dtype=cv2.CV_16S), np.int16)
    edges = relief(sixteenths, WINDOW) > EDGE_PX * STEPS
    edges &= where
    places = np.flatnonzero(edges)
    medians = _weighted_medians(sixteenths, grey, places, _offsets(pixels))
    # Far below all disparities where one of them is missing.
    mean = cv2.blur(known, (WINDOW, WINDOW))
    np.copyto(disparity, mean, where=(mean > -FAR_PX / 100) & (where ^ edges))
    disparity.ravel()[places] = medians


def _offsets(pixels: tuple[float, float]) -> list[tuple[int, int]]:
    """Rows and columns from a pixel to the 13 that are asked."""
    steps = range(-REACH_PX, REACH_PX + 1, STRIDE_PX)
    return [
        (round(row / pixels[0]), round(column / pixels[1]))
        for row in steps
        for column in steps
        if (row + column) % (2 * STRIDE_PX) == 0
    ]


def _weighted_medians(
    found: IntMap,
    grey: NDArray[np.uint8],
    places: NDArray[np.intp],
    offsets: list[tuple[int, int]],
) -> FloatMap:
    """Pixels, float32 (n,), around each place, an index into the flat map of 16ths."""
    padded, levels = (
        cv2.copyMakeBorder(image, *[REACH_PX] * 4, cv2.BORDER_REPLICATE) for image in (found, grey)
    )
    width = padded.shape[1]
    row, column = np.divmod(places, found.shape[1])
    center = (row + REACH_PX) * width + column + REACH_PX
    steps = np.array([[down * width + right] for down, right in offsets])
    medians = np.empty(places.shape, np.float32)
    for start in range(0, len(places), CHUNK):
        chunk = np.s_[start : start + CHUNK]
        medians[chunk] = _medians_around(padded.ravel(), levels.ravel(), center[chunk], steps)
    return medians


def _medians_around(
    found: IntMap, levels: NDArray[np.uint8], center: NDArray[np.intp], steps: NDArray[np.intp]
) -> FloatMap:
    there = center + steps
    values, looks = found.take(there), levels.take(there)
    answered = values != NO_MATCH
    unlike = cv2.absdiff(looks, np.broadcast_to(levels.take(center), looks.shape))
    weights = WEIGHTS.take(unlike) * answered
    return _median(np.where(answered, values, found.take(center)), weights)


def _median(values: IntMap, weights: IntMap) -> FloatMap:
    """
    Along the first axis of (k, n), in pixels: float32 (n,).

    The mean of the values that are left when the range has been halved around the median.
    """
    low, high = (end.astype(np.int32) for end in (values.min(axis=0), values.max(axis=0)))
    half = weights.sum(axis=0, dtype=np.int16) // 2
    for _ in range(HALVINGS):
        middle = (low + high) // 2
        above = (weights * (values > middle.astype(np.int16))).sum(axis=0, dtype=np.int16) > half
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    inside = (values >= low.astype(np.int16)) & (values <= high.astype(np.int16))
    weights = weights * inside
    total = np.einsum('kn,kn->n', weights, values, dtype=np.float32)
    return total / (STEPS * weights.sum(axis=0, dtype=np.float32))
