# SPDX-License-Identifier: Apache-2.0
"""
Noisy depth in cells of several pixels, whose means are calm, and back to pixels.

A bend shows s times as much from cell to cell of s pixels, and white noise s times less.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

LEAST_SEEN = 0.5  # of the pixels of a cell
STEP = 0.02  # relative, per pixel; cells with larger ones are of two surfaces
AROUND = [(down, right) for down in (0, -1, 1) for right in (0, -1, 1)]

Map = NDArray[np.float32]
Numbers = NDArray[np.int32]


def means(inverse: Tensor, side: int) -> Tensor:
    """
    Average cells of side x side pixels; 0 where little is seen, or a step.

    inverse: float32 (H, W), 1/m, 0 = nothing; the answer is (rows, columns) of cells.
    """
    here = inverse[None, None]
    seen = here > 0
    share = avg_pool2d(seen.float(), side, ceil_mode=True)
    mean = avg_pool2d(here, side, ceil_mode=True) / share.clamp_(min=1e-6)
    high = max_pool2d(here, side, ceil_mode=True)
    low = -max_pool2d(torch.where(seen, -here, -torch.inf), side, ceil_mode=True)
    good = (share >= LEAST_SEEN) & (high - low <= STEP * side * mean)
    return torch.where(good, mean, 0.0)[0, 0]


def in_pixels(cells: Numbers, mean: Map, inverse: Map, side: int, near: float) -> Numbers:
    """
    Number the pixels by the surfaces of the cells around them, int32 (H, W), 0 = none of these.

    cells, mean: number and inverse depth of each cell, (rows, columns). inverse: (H, W), of the
    pixels. near: how far off, relative, these may be.
    """
    height, width = inverse.shape
    numbers = np.repeat(np.repeat(cells, side, 0), side, 1)
    places = np.nonzero(~_alike(cells))
    ends = [(0, whole - part) for whole, part in zip(numbers.shape, inverse.shape)]
    here = _blocks(np.pad(cv2.medianBlur(inverse, 3), ends), side)[places]
    slopes = [_slope(cells, mean, axis) / side for axis in (0, 1)]
    from_middle = np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)
    best, owner = here * np.float32(near), np.zeros(here.shape, np.int32)
    for way in AROUND:
        beside = tuple(
            np.clip(at + step, 0, n - 1) for at, step, n in zip(places, way, cells.shape)
        )
        number = cells[beside][:, None, None]
        down, right = (
            slope[beside][:, None] * (from_middle - side * step)
            for slope, step in zip(slopes, way)
        )
        off = np.abs(mean[beside][:, None, None] + down[:, :, None] + right[:, None] - here)
        better = (off < best) & (number > 0)
        best, owner = np.where(better, off, best), np.where(better, number, owner)
    _blocks(numbers, side)[places] = owner
    return numbers[:height, :width]


def _blocks(pixels: NDArray[Any], side: int) -> NDArray[Any]:
    """View pixels by cells, (rows, columns, side, side)."""
    rows, columns = (each // side for each in pixels.shape)
    return pixels.reshape(rows, side, columns, side).transpose(0, 2, 1, 3)


def _alike(cells: Numbers) -> NDArray[np.bool_]:
    """Tell which cells are of one surface with all around them."""
    kernel = np.ones((3, 3), np.uint8)
    values = cells.astype(np.float32)
    high = cv2.dilate(values, kernel, borderType=cv2.BORDER_REPLICATE)
    low = cv2.erode(values, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray((high == low) & (low > 0))


def _slope(cells: Numbers, mean: Map, axis: int) -> Map:
    """Change of inverse depth from cell to cell along an axis, on the surface of each."""
    numbers, values = (each if axis else each.T for each in (cells, mean))
    same = (numbers[:, 1:] == numbers[:, :-1]) & (numbers[:, 1:] > 0)
    change = np.diff(values, axis=1) * same
    total, count = (np.zeros(values.shape, np.float32) for _ in range(2))
    for part in (np.s_[:, 1:], np.s_[:, :-1]):
        total[part] += change
        count[part] += same
    slope: Map = total / np.maximum(count, np.float32(1))
    return slope if axis else slope.T
