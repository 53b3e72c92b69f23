# SPDX-License-Identifier: Apache-2.0
"""What the camera sees, cell by cell, and what of it is one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.annotation.instances import Instance
from vizion3d_ros.geometry.annotation.edge import foreign_edge
from vizion3d_ros.geometry.annotation.pieces import object_pieces
from vizion3d_ros.geometry.annotation.projection import DepthBuffer
from vizion3d_ros.geometry.annotation.surfaces import (
    FOREIGN,
    Place,
    Surfaces,
    Verdict,
    smooth_surfaces,
)
from vizion3d_ros.geometry.annotation.window import Window, edge_px, wide_noise

MARGIN_PX = 10  # what is looked at around a mask

Flags = NDArray[np.bool_]


def scene_of(buffer: DepthBuffer, fx: float) -> Scene:
    """Find the surfaces of what is seen. fx: of the camera, pixels."""
    inverse = 1 / buffer.depth_m
    surfaces = smooth_surfaces(inverse)
    return Scene(inverse.cpu().numpy(), buffer.side, fx, surfaces, wide_noise(inverse))


@dataclass(frozen=True, slots=True)
class Scene:
    """
    What is seen, in cells.

    inverse: float32 (rows, columns), 1/m, of cells of `side` pixels; fx: of the camera; noise:
    relative, of the inverse depth, as far as it shows all over the view.
    """

    inverse: NDArray[np.float32]
    side: int
    fx: float
    surfaces: Surfaces
    noise: float

    def claims(
        self, instances: Sequence[Instance], sure: Sequence[Flags], apart: bool
    ) -> list[Verdict]:
        """
        Tell for each mask whose the surfaces are, as Surfaces.claims does.

        sure: bool (h, w), a part of each mask.
        """
        masks = [in_cells(each, self.side) for each in instances]
        parts = [
            in_cells(replace(each, mask=own), self.side)[0] for each, own in zip(instances, sure)
        ]
        return self.surfaces.claims(masks, parts, apart)

    def object_of(self, instance: Instance, sure: Flags, verdict: Verdict) -> Flags:
        """
        Keep of an instance's mask, bool (h, w), what is the object.

        sure: bool (h, w), that part of the mask in which the object is for certain. verdict: int8
        (n,), whose the surfaces are, as Surfaces.claims says.
        """
        if not instance.mask.any():
            return instance.mask
        window, top, left = self._window(instance, sure)
        reach = edge_px(window.mask, self.side)
        noise = max(window.noise(), self.noise)
        rows, columns = window.mask.shape
        whose = verdict[self.surfaces.numbers[top : top + rows, left : left + columns]]
        seen = window.mask & (window.inverse > 0)
        own = seen & (whose != FOREIGN) & ~foreign_edge(window, seen & (whose == 0), reach, noise)
        kept = object_pieces(window, own, noise, self.fx / self.side)
        return self._in_pixels(kept, instance, top, left) & instance.mask

    def _window(self, instance: Instance, sure: Flags) -> tuple[Window, int, int]:
        """The object and what is around it, and the first row and column of that, in cells."""
        mask, top, left = in_cells(instance, self.side)
        rows, columns = mask.shape
        up, back = min(MARGIN_PX, top), min(MARGIN_PX, left)
        inverse = self.inverse[
            top - up : top + rows + MARGIN_PX, left - back : left + columns + MARGIN_PX
        ]
        flags = np.zeros((2, *inverse.shape), bool)
        flags[:, up : up + rows, back : back + columns] = (
            mask,
            in_cells(replace(instance, mask=sure), self.side)[0],
        )
        return Window(np.ascontiguousarray(inverse), *flags), top - up, left - back

    def _in_pixels(self, kept: Flags, instance: Instance, top: int, left: int) -> Flags:
        """What of cells is kept, for each pixel of the instance's mask."""
        height, width = instance.mask.shape
        rows = (np.arange(height) + instance.row) // self.side - top
        columns = (np.arange(width) + instance.column) // self.side - left
        return kept[rows[:, None], columns]


def in_cells(instance: Instance, side: int) -> Place:
    """Give the mask in cells of `side` pixels, bool (h, w), any of which counts, and its place."""
    if side == 1:
        return instance.mask, instance.row, instance.column
    top, left = instance.row // side, instance.column // side
    height, width = instance.mask.shape
    row, column = instance.row - top * side, instance.column - left * side
    rows, columns = -(-(row + height) // side), -(-(column + width) // side)
    padded = np.zeros((rows * side, columns * side), bool)
    padded[row : row + height, column : column + width] = instance.mask
    cells = np.any(padded.reshape(rows, side, columns, side), axis=(1, 3))
    return np.asarray(cells), top, left
