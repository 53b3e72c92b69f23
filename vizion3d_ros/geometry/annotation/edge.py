# SPDX-License-Identifier: Apache-2.0
"""
What of a mask's edge is the surface behind or below the object, and not the object.

Masks are some pixels too large. At each pixel near the edge two lines compete, both along the
shortest way out: one through the surface outside of the mask, one through the mask's inner part.
Inverse depth of a plane is linear in the image, so that either foretells its own surface exactly:
a wall behind, and a floor that the object stands on and that no step in depth shows.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.geometry.annotation.window import Window

STEPS_PX = np.array([0.0, 2.0, 4.0, 6.0], np.float32)  # between the samples of a line
OUT_PX = 1.0  # first sample outside, from the mask's edge
OTHER = 0.1  # relative step between samples beyond which they are of two surfaces
EXPLAINED = 0.005  # relative error with which the outside explains a pixel, without noise
RIVAL = 2.5  # the inside is that many times worse then
LEAST_ERROR = 3e-4
NOISE_SPAN = 5.0  # what differs more from its neighbours is no noise

Vector = NDArray[np.float32]
Flags = NDArray[np.bool_]


def foreign_edge(window: Window, candidates: Flags, reach: float, noise: float) -> Flags:
    """
    Find those of the candidates, bool (h, w), that belong to what is outside of the mask.

    reach: how far from the mask's edge they may be, in pixels of the window. noise: relative, of
    the inverse depth.
    """
    foreign = np.zeros_like(window.mask)
    if window.mask.all() or not candidates.any():
        return foreign
    distance, nearest = _to_the_outside(window.mask)
    reach = min(reach, 0.6 * float(distance.max()))
    edge = candidates & (distance <= reach)
    rows, columns = np.nonzero(edge)
    out_rows, out_columns = np.divmod(nearest[edge], window.mask.shape[1])
    span = distance[edge]
    way = _Way(
        np.stack([out_rows, out_columns]).astype(np.float32),
        np.stack([(rows - out_rows) / span, (columns - out_columns) / span]).astype(np.float32),
    )
    smooth = cv2.medianBlur(window.inverse, 3)
    here, calm = window.inverse[edge], smooth[edge]
    near = (calm > 0) & (np.abs(calm - here) <= NOISE_SPAN * noise * here)
    here = np.where(near, calm, here)
    outside = _foretold(smooth, ~window.mask, way, -OUT_PX - STEPS_PX, span)
    inside = _foretold(smooth, window.mask, way, np.float32(reach + 1) + STEPS_PX, span)
    error_out, error_in = (np.abs(line - here) / here for line in (outside, inside))
    explained = error_out <= EXPLAINED + 3 * noise  # never where it is NaN
    foreign[edge] = explained & (error_in > RIVAL * error_out + 2 * noise + LEAST_ERROR)
    return foreign


class _Way:
    """From the pixel outside nearest to each: where it begins, and its direction; (2, n) each."""

    def __init__(self, start: Vector, direction: Vector) -> None:
        self.start, self.direction = start, direction

    def at(self, distance: float) -> NDArray[np.intp]:
        """Row and column of the pixels at a distance along the way, (2, n)."""
        return np.rint(self.start + distance * self.direction).astype(np.intp)


def _to_the_outside(mask: Flags) -> tuple[Vector, NDArray[np.intp]]:
    """Distance to the nearest pixel outside, and which that is, row * width + column."""
    distance, labels = cv2.distanceTransformWithLabels(
        mask.view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    outside = np.flatnonzero(~mask)
    places = np.zeros(labels.max() + 1, np.intp)
    places[labels.flat[outside]] = outside
    return np.maximum(distance, np.float32(1)), places[labels]


def _foretold(inverse: Vector, where: Flags, way: _Way, samples: Vector, span: Vector) -> Vector:
    """
    Foretell inverse depth at `span` pixels along the way from a line through the samples.

    A constant where one sample alone is of a surface, NaN where none is.
    """
    values = np.stack([_taken(inverse, where, way.at(float(each))) for each in samples])
    first = np.full(len(span), np.nan, np.float32)
    for row in values[::-1]:  # the nearest valid one stays
        first = np.where(row > 0, row, first)
    weight = (np.abs(values - first) <= OTHER * first).astype(np.float32)
    count = np.maximum(weight.sum(0), 1)
    mean_x, mean_y = (samples[:, None] * weight).sum(0) / count, (values * weight).sum(0) / count
    offset = (samples[:, None] - mean_x) * weight
    spread = (offset * offset).sum(0)
    slope = (offset * (values - mean_y)).sum(0) / np.maximum(spread, 1)
    return np.where(first > 0, mean_y + slope * (span - mean_x), np.nan)


def _taken(inverse: Vector, where: Flags, places: NDArray[np.intp]) -> Vector:
    """Give the values at places (2, n); 0 for those outside of the window or of `where`."""
    rows, columns = places
    height, width = where.shape
    valid = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    flat = np.where(valid, rows * width + columns, 0)
    return np.where(valid & where.flat[flat], inverse.flat[flat], np.float32(0))
