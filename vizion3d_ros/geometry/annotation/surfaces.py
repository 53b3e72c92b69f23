# SPDX-License-Identifier: Apache-2.0
"""
Smooth surfaces of the whole view, and whose they are.

Inverse depth of a plane is linear in the image, so that a surface ends where it bends or steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vizion3d_ros.geometry.annotation.coarse import in_pixels, means

SIDES = (3, 4, 6, 8)  # pixels, of cells that are averaged
FLAT = 1e-3  # relative change of slope from pixel to pixel that is no edge, without noise
LEAST_FLAT = 2e-3  # what is less flat than that shows no edges
PIXEL_NOISE = 1.1  # of the unrest: off a surface of that are but few of its pixels
NOISE_MARGIN = 4.3
ROWS_APART = 16  # of those that tell the noise
LEAST_CELLS = 3  # in a row with a change of slope
STEP = 0.02  # relative, of neighbours on two surfaces
LEAST_PX = 8  # of a surface that is told from noise
OWN_SHARE = 0.5  # of a surface of an object that is in its mask
LEAST_WEIGHT = 0.05  # of a cell of a mask, on the largest of surfaces
SURE_SHARE = 0.95  # a surface that ends with the mask
RIVAL_SHARE = 0.2  # more of a surface in another mask: it is that one's
OWN, FOREIGN = 1, -1
WAYS = ((0, 1), (0, -1), (1, 0), (-1, 0))
NEXT_TWO = np.array([[1], [2]])

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int32]
Verdict = NDArray[np.int8]
Place = tuple[Flags, int, int]
"""bool (h, w), and the row and column of its first cell."""


@dataclass(frozen=True, slots=True)
class Surfaces:
    """numbers: int32 (rows, columns), 0 = edges and nothing; sizes: int64 (n,), in cells."""

    numbers: Numbers
    sizes: NDArray[np.int64]

    def claims(self, masks: Sequence[Place], sure: Sequence[Flags], apart: bool) -> list[Verdict]:
        """
        Tell for each mask whose the surfaces are, int8 (n,): OWN, FOREIGN, or 0 if that is open.

        What is for the most part elsewhere is foreign, and what is rather in another mask which
        also has this part of it; never the one surface that fills most of the mask. sure: bool
        (h, w), a part of each mask. apart: these do not overlap, so that what is in one is hidden
        from the others and does not count for them.
        """
        times = np.zeros(self.numbers.shape, np.uint16)
        for mask, top, left in masks:
            times[top : top + mask.shape[0], left : left + mask.shape[1]] += mask
        within = [self._count(place, place[0]) for place in masks]
        covered = self._count((times > 0, 0, 0), times > 0) if apart else 0
        most = np.max(within, axis=0, initial=0) - RIVAL_SHARE * self.sizes
        verdicts = []
        for place, own, inside in zip(masks, sure, within):
            counts = self._count(place, own)
            twice = self._count(place, own & (_window(times, place) > 1))
            share = inside / np.maximum(self.sizes - covered + inside if apart else self.sizes, 1)
            rivalled = (inside < most) & (2 * twice >= counts)
            verdicts.append(self._verdict(counts, share, rivalled))
        return verdicts

    def _count(self, place: Place, flags: Flags) -> NDArray[np.int64]:
        """Count the cells of each surface among those flagged in the window of a place."""
        counts = np.bincount(_window(self.numbers, place)[flags], minlength=len(self.sizes))
        counts[0] = 0
        return counts

    def _verdict(
        self, counts: NDArray[np.int64], share: NDArray[np.float64], rivalled: Flags
    ) -> Verdict:
        foreign = (self.sizes >= LEAST_PX) & ((share < OWN_SHARE) | rivalled)
        verdict = np.where(foreign, FOREIGN, np.where(share >= SURE_SHARE, OWN, 0))
        verdict[0] = 0
        main = int(np.argmax(counts * (share + LEAST_WEIGHT)))
        verdict[main] = max(verdict[main], 0)
        return verdict.astype(np.int8)


def _window(numbers: NDArray[Any], place: Place) -> NDArray[Any]:
    mask, top, left = place
    return numbers[top : top + mask.shape[0], left : left + mask.shape[1]]


def smooth_surfaces(inverse: Tensor) -> Surfaces:
    """
    Number what hangs together; nothing where noise hides the bends.

    inverse: float32 (rows, columns), 1/m, 0 = nothing.
    """
    side, cells, flat = _calm_cells(inverse)
    if flat > LEAST_FLAT * side:
        return Surfaces(np.zeros(tuple(inverse.shape), np.int32), np.zeros(1, np.int64))
    with ThreadPoolExecutor(2) as threads:
        across, down = threads.map(lambda axis: _ends(cells, axis, flat), (1, 0))
    drawn = ((cells > 0) & ~across & ~down).cpu().numpy().view(np.uint8)
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(drawn, connectivity=4)
    mean = cells.cpu().numpy()
    owners = _complete(numbers, mean, flat)
    sizes = stats[:, cv2.CC_STAT_AREA] + np.bincount(owners, minlength=len(stats))
    if side > 1:
        near = PIXEL_NOISE * _unrest(inverse)
        numbers = in_pixels(numbers, mean, inverse.cpu().numpy(), side, near)
        sizes = np.bincount(numbers.ravel(), minlength=len(sizes))
    return Surfaces(numbers, sizes)


def _calm_cells(inverse: Tensor) -> tuple[int, Tensor, float]:
    """Find the least side of cells whose noise shows bends, the cells, and what is no bend."""
    side, cells, flat = 1, inverse, max(FLAT, NOISE_MARGIN * _unrest(inverse))
    least = (flat / LEAST_FLAT) ** 0.5  # if each pixel has a noise of its own
    for larger in SIDES:
        if flat > LEAST_FLAT * side and larger >= least:
            side, cells = larger, means(inverse, larger)
            flat = max(FLAT * side, NOISE_MARGIN * _unrest(cells))
    return side, cells, flat


def _unrest(inverse: Tensor) -> float:
    """Median change of slope, relative, of the cells of some rows, or columns."""
    return max(_unrest_of_rows(inverse), _unrest_of_rows(inverse.T))


def _unrest_of_rows(inverse: Tensor) -> float:
    rows = inverse[::ROWS_APART].contiguous()
    if rows.shape[1] < LEAST_CELLS:
        return 0.0
    middle = rows[:, 1:-1]
    turn = (rows.diff(n=2, dim=1).abs_() / middle)[middle > 0]
    return float(turn.median()) if len(turn) else 0.0


def _ends(inverse: Tensor, axis: int, flat: float) -> Tensor:
    """Tell which cells are on a bend along an axis, or behind a step."""
    ends = torch.zeros_like(inverse, dtype=torch.bool)
    count = inverse.shape[axis]
    if count < LEAST_CELLS:
        return ends
    change = inverse.diff(dim=axis)
    uneven = change.diff(dim=axis).abs_() > inverse.narrow(axis, 1, count - 2) * flat
    step = change.abs() > inverse.narrow(axis, 0, count - 1) * STEP
    before, after = step.narrow(axis, 0, count - 2), step.narrow(axis, 1, count - 2)
    # On a steep plane the change is as large as a step, but the same everywhere.
    before &= uneven
    after &= uneven
    ends.narrow(axis, 1, count - 2).copy_(uneven & ~(before | after))
    nearer = change > 0
    ends.narrow(axis, 0, count - 1).logical_or_(step & nearer)
    ends.narrow(axis, 1, count - 1).logical_or_(step & ~nearer)
    return ends


def _complete(numbers: Numbers, inverse: NDArray[np.float32], flat: float) -> Numbers:
    """Give the edges, in place, to that surface beside them which goes on evenly to them."""
    rows, columns = np.nonzero((numbers == 0) & (inverse > 0))
    here = inverse[rows, columns]
    best, owner = np.float32(flat) * here, np.zeros(len(here), np.int32)
    height, width = numbers.shape
    for down, right in WAYS:
        y = np.clip(rows + down * NEXT_TWO, 0, height - 1)
        x = np.clip(columns + right * NEXT_TWO, 0, width - 1)
        beside = numbers[y, x]
        values = inverse[y, x]
        off = np.abs(2 * values[0] - values[1] - here)
        better = (off < best) & (beside[0] > 0) & (beside[0] == beside[1])
        best, owner = np.where(better, off, best), np.where(better, beside[0], owner)
    numbers[rows, columns] = owner
    return owner
