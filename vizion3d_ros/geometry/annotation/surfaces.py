# SPDX-License-Identifier: Apache-2.0
"""
Smooth surfaces of the whole view, and whose they are.

Inverse depth of a plane is linear in the image, so that a surface ends where it bends or steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FLAT = 1e-3  # relative change of slope from pixel to pixel that is no edge, without noise
STEP = 0.02  # relative, of neighbours on two surfaces, without noise
LEAST_PX = 8  # smaller ones are none
OWN_SHARE = 0.5  # of a surface of an object that is in its mask
RIVAL_SHARE = 0.2  # more of a surface in another mask: it is that one's
WAYS = ((0, 1), (0, -1), (1, 0), (-1, 0))

Flags = NDArray[np.bool_]
Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Surfaces:
    """numbers: int32 (rows, columns), 0 = edges and nothing; sizes: int64 (n,), in cells."""

    numbers: Numbers
    sizes: NDArray[np.int64]

    def foreign(self, masks: Sequence[tuple[Flags, int, int]]) -> list[NDArray[np.bool_]]:
        """
        Tell for each mask which surfaces are another's: bool (n,), by number.

        masks: bool (h, w), and the row and column of their first cell. The one that fills most of
        a mask is its own. Others are if they end with the mask, and fill no other one more.
        """
        shares, main = [], []
        most = np.zeros(len(self.sizes))
        for mask, top, left in masks:
            here = self.numbers[top : top + mask.shape[0], left : left + mask.shape[1]]
            within = np.bincount(here[mask], minlength=len(self.sizes))
            within[0] = 0
            share = within / np.maximum(self.sizes, 1)
            most = np.maximum(most, share)
            shares.append(share)
            main.append(int(np.argmax(within * share)))
        found = []
        for share, own in zip(shares, main):
            foreign = (share < OWN_SHARE) | (share < most - RIVAL_SHARE)
            foreign[[0, own]] = False
            found.append(foreign)
        return found


def smooth_surfaces(inverse: Tensor, noise: float) -> Surfaces:
    """Number what hangs together. inverse: float32 (rows, columns), 1/m, 0 = nothing."""
    inside = inverse > 0
    for axis in (0, 1):
        inside = inside & ~_ends(inverse, axis, noise)
    drawn = inside.cpu().numpy().view(np.uint8)
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(drawn, connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] >= LEAST_PX
    large[0] = False
    numbers = (np.cumsum(large, dtype=np.int32) * large)[numbers]
    _complete(numbers, inverse.cpu().numpy())
    return Surfaces(numbers, np.bincount(numbers.ravel()))


def _ends(inverse: Tensor, axis: int, noise: float) -> Tensor:
    """Tell which cells are on a bend along an axis, or behind a step."""
    ends = torch.zeros_like(inverse, dtype=torch.bool)
    count = inverse.shape[axis]
    if count < 3:
        return ends
    first, second = inverse.narrow(axis, 0, count - 1), inverse.narrow(axis, 1, count - 1)
    change = second - first
    least = torch.minimum(first, second)
    step = change.abs() > (STEP + 4 * noise) * least
    turn = change.diff(dim=axis).abs_()
    uneven = turn > (FLAT + 4 * noise) * inverse.narrow(axis, 1, count - 2)
    before, after = step.narrow(axis, 0, count - 2), step.narrow(axis, 1, count - 2)
    ends.narrow(axis, 1, count - 2).logical_or_(uneven & ~before & ~after)
    # On a steep plane the change is as large as a step, but the same everywhere.
    step.narrow(axis, 0, count - 2).logical_and_(uneven)
    step.narrow(axis, 1, count - 2).logical_and_(uneven)
    ends.narrow(axis, 0, count - 1).logical_or_(step & (change > 0))
    ends.narrow(axis, 1, count - 1).logical_or_(step & (change < 0))
    return ends


def _complete(numbers: Numbers, inverse: NDArray[np.float32]) -> None:
    """Give the edges, in place, to that surface beside them which goes on evenly to them."""
    rows, columns = np.nonzero((numbers == 0) & (inverse > 0))
    here = inverse[rows, columns]
    best, owner = np.full(len(here), np.float32(STEP)) * here, np.zeros(len(here), np.int32)
    height, width = numbers.shape
    for down, right in WAYS:
        y = np.clip(rows + [[down], [2 * down]], 0, height - 1)
        x = np.clip(columns + [[right], [2 * right]], 0, width - 1)
        beside = numbers[y, x]
        values = inverse[y, x]
        off = np.abs(2 * values[0] - values[1] - here)
        better = (off < best) & (beside[0] > 0) & (beside[0] == beside[1])
        best, owner = np.where(better, off, best), np.where(better, beside[0], owner)
    numbers[rows, columns] = owner
