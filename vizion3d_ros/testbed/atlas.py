# SPDX-License-Identifier: Apache-2.0
"""
All textures in one picture, each at half-octave steps of size, so that one remap draws any.

A surface is sampled at the step whose texels are about one pixel wide (Williams 1983, "Pyramidal
parametrics"). The step depends on where the surface is and not on the camera, so both cameras of
a pair see the same texels and no aliasing disturbs matching.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

FloatMap = NDArray[np.float32]
Picture = NDArray[np.uint8]

PAD = 2
SMALLEST = 6
STEP = 2**-0.5
# cv2.remap addresses its source with 15 bits.
MOST_ROWS = 32000
# Inverse depth is turned into a table index; 255 stands for 0.8 m, the nearest allowed.
INDEX_PER_INVERSE_METRE = 255 * 0.8


@dataclass(frozen=True, slots=True)
class Texture:
    """
    Where the steps of one texture lie in the atlas.

    size_m: width and height in metres. density: texels per metre of the finest step.
    first_column: atlas column of all steps. first_rows: atlas row of each, both without the rim.
    """

    size_m: tuple[float, float]
    density: float
    first_column: int
    first_rows: FloatMap

    def tables(self, footprint_m: FloatMap) -> tuple[FloatMap, FloatMap]:
        """Texels per metre and first row, (N,), where a pixel covers footprint_m (N,) metres."""
        octave = 2 * np.log2(np.maximum(footprint_m * self.density, 1e-6))
        step = np.clip(np.round(octave), 0, len(self.first_rows) - 1).astype(np.int64)
        density = (self.density * STEP**step).astype(np.float32)
        return density, self.first_rows[step]


class AtlasBuilder:
    """Collects textures, the steps of each below each other; `picture` is the atlas in the end."""

    def __init__(self) -> None:
        self._columns: list[list[Picture]] = []

    def add(self, picture: Picture, density: float) -> Texture:
        """Take in an RGB texture (h, w, 3) of `density` texels per metre."""
        steps = _steps(picture)
        tall = sum(len(step) for step in steps)
        if not self._columns or sum(map(len, self._columns[-1])) + tall > MOST_ROWS:
            self._columns.append([])
        column = self._columns[-1]
        begin = sum(map(len, column))
        column.extend(steps)
        rows = begin + np.cumsum([0, *(len(step) for step in steps[:-1])])
        size_m = (picture.shape[1] / density, picture.shape[0] / density)
        first_column = sum(map(_width, self._columns[:-1]))
        return Texture(size_m, density, first_column + PAD, (rows + PAD).astype(np.float32))

    @property
    def picture(self) -> Picture:
        """The atlas, RGB (rows, columns, 3)."""
        tallest = max(sum(map(len, column)) for column in self._columns)
        atlas = np.zeros((tallest, sum(map(_width, self._columns)), 3), np.uint8)
        left = 0
        for column in self._columns:
            top = 0
            for step in column:
                height, width = step.shape[:2]
                atlas[top : top + height, left : left + width] = step
                top += height
            left += _width(column)
        return atlas


def _steps(picture: Picture) -> list[Picture]:
    """The picture at all its sizes, each with a rim that repeats its edge."""
    steps = []
    while True:
        padded = cv2.copyMakeBorder(picture, PAD, PAD, PAD, PAD, cv2.BORDER_REPLICATE)
        steps.append(padded.astype(np.uint8, copy=False))
        if min(picture.shape[:2]) * STEP < SMALLEST:
            return steps
        picture = _shrink(picture)


def _width(column: list[Picture]) -> int:
    return max(step.shape[1] for step in column)


def place(
    texture: Texture,
    footprint_m: FloatMap,
    index: NDArray[np.uint8],
    s: FloatMap,
    t: FloatMap,
) -> tuple[FloatMap, FloatMap]:
    """
    Turn surface coordinates (h, w), metres from the texture's corner, into atlas pixels.

    footprint_m (256,): metres covered by a pixel, tabulated over `index` (h, w).
    """
    density, first_row = texture.tables(footprint_m)
    scale = cv2.LUT(index, density)
    columns, rows = s * scale, t * scale
    columns += np.float32(texture.first_column - 0.5)
    rows += cv2.LUT(index, first_row - np.float32(0.5))
    return columns, rows


def depth_index(inverse_depth: FloatMap) -> NDArray[np.uint8]:
    """Table index (h, w) of an inverse depth in 1/m, see `tabulated_depth`."""
    return cv2.convertScaleAbs(inverse_depth, alpha=INDEX_PER_INVERSE_METRE).astype(
        np.uint8, copy=False
    )


def tabulated_depth() -> FloatMap:
    """Depth in metres (256,) of each table index."""
    index = np.maximum(np.arange(256, dtype=np.float32), 0.5)
    return np.float32(INDEX_PER_INVERSE_METRE) / index


def _shrink(picture: Picture) -> Picture:
    height, width = (int(np.ceil(size * STEP)) for size in picture.shape[:2])
    smooth = cv2.GaussianBlur(picture, (0, 0), 0.55)
    # An affine warp keeps the scale exact where cv2.resize would round it to whole texels.
    origin = (1 / STEP - 1) / 2
    matrix = np.array([[1 / STEP, 0.0, origin], [0.0, 1 / STEP, origin]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    small = cv2.warpAffine(
        smooth, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return small.astype(np.uint8, copy=False)
