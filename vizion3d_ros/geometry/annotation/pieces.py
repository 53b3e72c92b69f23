# SPDX-License-Identifier: Apache-2.0
"""Pieces of a mask without a step in depth, and those of them that are the object."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.geometry.annotation.window import Window

STEP = 0.02  # relative, between neighbours, without noise
WIDTH_IN_DEVIATIONS = 2.0  # half of a piece's range of depth; 1.7 are all of an even slope
GAP = 0.03  # relative, between the ranges of pieces of one thing
GAP_IN_SIZES = 0.25  # the same, in sizes of the object
ELSEWHERE = 0.3  # a depth that is as rare around the mask as this, per pixel, is the object's own
MOST_SAMPLES = 4096

Map = NDArray[np.float32]
Flags = NDArray[np.bool_]


def object_pieces(window: Window, candidates: Flags, noise: float, px_per_unit: float) -> Flags:
    """
    Keep of the candidates, bool (h, w), what is the object.

    The main piece is large, and what has its depth is in the mask rather than around it. The
    others belong to it if they have its depth, or nearly and are not found around the mask.
    noise: relative. px_per_unit: focal length in pixels of the window.
    """
    step = STEP + 4 * noise
    across, down = _links(window.inverse, step), _links(window.inverse.T, step).T
    count, labels = _pieces(candidates, across, down)
    if count == 0:
        return candidates
    flat = labels[candidates]
    depth: Map = np.reciprocal(window.inverse[candidates])
    pixels = np.bincount(flat, minlength=count).astype(np.float64)
    mean, deviation = _spread(flat, depth, pixels)
    half = WIDTH_IN_DEVIATIONS * deviation + 2 * noise * mean
    low, high = mean - half, mean + half
    around = _share_around(window, low, high) / (pixels / float(np.count_nonzero(window.mask)))
    sure = np.bincount(labels[candidates & window.sure], minlength=count)
    main = int(np.argmax(sure * (1.05 - np.minimum(around, 1))))
    size = np.sqrt(pixels[main]) / px_per_unit * mean[main]
    apart = np.maximum(low - high[main], low[main] - high)  # of its range and the main one's
    off = np.maximum(mean - high[main], low[main] - mean)
    near = np.maximum(GAP * mean, GAP_IN_SIZES * size)
    own = np.where(around <= ELSEWHERE, apart <= near, off <= GAP * mean)
    own |= _end_with_mask(window, labels, count, across, down) & (apart <= size)
    own[main] = True
    kept = np.zeros_like(candidates)
    kept[candidates] = own[flat]
    return kept


def _end_with_mask(
    window: Window, labels: NDArray[np.int32], count: int, across: Flags, down: Flags
) -> Flags:
    """Tell which pieces have a step at the mask's edge, more often than none, bool (count,)."""
    balance = np.zeros(count)
    for links, mask, pieces, inverse in (
        (across, window.mask, labels, window.inverse),
        (down.T, window.mask.T, labels.T, window.inverse.T),
    ):
        rows, columns = np.nonzero(mask[:, 1:] != mask[:, :-1])
        inner = columns + mask[rows, columns + 1]
        piece, known = pieces[rows, inner], inverse[rows, 2 * columns + 1 - inner] > 0
        known &= piece >= 0
        vote = np.where(links[rows, columns], -1.0, 1.0)
        balance += np.bincount(piece[known], vote[known], count)
    return balance > 0


def _spread(
    flat: NDArray[np.int32], depth: Map, pixels: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of the depth of each piece."""
    divisor = np.maximum(pixels, 1)
    mean = np.bincount(flat, depth, len(pixels)) / divisor
    off = depth - mean[flat]
    return mean, np.sqrt(np.bincount(flat, off * off, len(pixels)) / divisor)


def _share_around(
    window: Window, low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The share of what surrounds the mask that has a depth from low to high."""
    seen = window.inverse[~window.mask & (window.inverse > 0)]
    if not len(seen):
        return np.zeros(len(low))
    depths = np.sort(np.reciprocal(seen[:: max(1, len(seen) // MOST_SAMPLES)]))
    inside = np.searchsorted(depths, high, 'right') - np.searchsorted(depths, low, 'left')
    return np.asarray(inside / len(depths))


def _pieces(candidates: Flags, across: Flags, down: Flags) -> tuple[int, NDArray[np.int32]]:
    """
    Number the pieces from 0: their count, and int32 (h, w) of what is theirs.

    across, down: which neighbours hang together, bool (h, w - 1) and (h - 1, w). Pixels and these
    links are drawn into one image of twice the size, in which OpenCV finds what hangs together.
    """
    height, width = candidates.shape
    drawn = np.zeros((2 * height, 2 * width), np.uint8)
    drawn[::2, ::2] = candidates
    drawn[::2, 1:-1:2] = across & candidates[:, :-1] & candidates[:, 1:]
    drawn[1:-1:2, ::2] = down & candidates[:-1] & candidates[1:]
    count, labels = cv2.connectedComponents(drawn, connectivity=4, ltype=cv2.CV_32S)
    return count - 1, labels[::2, ::2] - 1


def _links(inverse: Map, step: float) -> Flags:
    """Tell which pixels hang together with the one on their right, bool (h, w - 1)."""
    change = np.diff(inverse, axis=1)
    limit = np.minimum(inverse[:, :-1], inverse[:, 1:]) * np.float32(step)
    small = np.abs(change) <= limit
    # On a plane the change is the same everywhere, however steep it is; a step is like neither
    # side of it.
    even = np.abs(np.diff(change, axis=1)) <= limit[:, 1:]
    small[:, 1:-1] |= even[:, :-1] | even[:, 1:]
    return small
