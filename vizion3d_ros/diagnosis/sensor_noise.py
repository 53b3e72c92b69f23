# SPDX-License-Identifier: Apache-2.0
"""
Whether a camera is known by its noise: then the same pixels twice mean that it has stopped.

A simulator without noise sends equal images whenever nothing moves, as a frozen camera does; what
moved before proves nothing. A sensor changes nearly everywhere while the picture stands.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.diagnosis.views import Pixels

BLACK, WHITE = 8, 247  # clipped outside, where noise ends
CELL = 20  # pixels of a side
FEWEST_USABLE = 0.25  # of the pixels of a cell
LEAST_CHANGED = 0.1  # of those
LEAST_CELLS = 0.9  # of the cells must change so, and half of all must be usable
MOST_NOISE = 8.0  # mean change in grey levels
EDGE = 12.0  # least grey levels from pixel to pixel, and so many times the mean change:
CLEAR = 5.0
LEAST_EDGES = 0.02  # share of the pixels, without which nobody knows whether the picture stands
ALIKE = 1.5  # change on edges over that elsewhere; motion shows on edges first
WHITENESS = 0.3  # correlation with the neighbour; light that changes is alike all over


def shows_noise(before: Pixels, after: Pixels) -> bool:
    """Whether only noise tells two images of one camera, uint8 (h, w), apart."""
    change = after.astype(np.float32) - before
    usable = (after > BLACK) & (after < WHITE)
    if not _is_everywhere(change != 0, usable):
        return False
    slope = np.abs(np.diff(before.astype(np.float32), axis=1))
    amount = np.abs(change)[:, :-1]
    mean = float(amount.mean())
    edges = slope > max(EDGE, CLEAR * mean)
    if mean > MOST_NOISE or edges.mean() < LEAST_EDGES:
        return False
    stands = amount[edges].mean() <= ALIKE * amount[~edges].mean()
    return bool(stands) and _correlation(change[:, :-1], change[:, 1:]) < WHITENESS


def _is_everywhere(changed: NDArray[np.bool_], usable: NDArray[np.bool_]) -> bool:
    rows, columns = (size // CELL for size in changed.shape)
    if not rows * columns:
        return False
    many = _in_cells(usable, rows, columns) / CELL**2
    share = _in_cells(changed & usable, rows, columns) / CELL**2
    good = many >= FEWEST_USABLE
    enough = share[good] >= LEAST_CHANGED * many[good]
    return bool(good.mean() >= 0.5 and enough.mean() >= LEAST_CELLS)


def _in_cells(marked: NDArray[np.bool_], rows: int, columns: int) -> NDArray[np.int64]:
    whole = marked[: rows * CELL, : columns * CELL]
    return np.asarray(whole.reshape(rows, CELL, columns, CELL).sum(axis=(1, 3)), np.int64)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """About zero, not about the mean: a change of light is a mean."""
    scale = float(np.sqrt((one**2).mean() * (other**2).mean()))
    return float((one * other).mean()) / scale if scale else 1.0
