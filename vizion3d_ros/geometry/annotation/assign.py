# SPDX-License-Identifier: Apache-2.0
"""The object of each point: seen by the camera, in the object's mask, on the object's surface."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vizion3d_ros.contracts.annotation.instances import Instance
from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.geometry.annotation.edge import foreign_edge
from vizion3d_ros.geometry.annotation.pieces import object_pieces
from vizion3d_ros.geometry.annotation.projection import depth_buffer, is_visible, project
from vizion3d_ros.geometry.annotation.surfaces import Surfaces, smooth_surfaces
from vizion3d_ros.geometry.annotation.window import Window

EDGE_PX = 8.0  # how far masks may be too large
EDGE_SHARE = 0.04  # the same, of the size of a mask; the larger counts
MOST_EDGE_PX = 24.0
MARGIN_PX = 10  # what is looked at around a mask

Flags = NDArray[np.bool_]


def assign(
    points: Tensor, camera: Intrinsics, instances: Sequence[Instance], surface: str = 'dominant'
) -> Tensor:
    """
    Give for each point the object that it belongs to: int32 (N,), k for instances[k - 1], 0: none.

    points: float32 (N, 3), metres, optical frame. instances: by falling confidence; a point that
    is on the surface of several belongs to the first. surface: 'dominant' = only what is the
    object's among the visible points of its mask, 'all' = all of these.
    """
    projected = project(points, camera)
    buffer = depth_buffer(projected, camera)
    visible = is_visible(projected, buffer, camera)
    near = _inverse(buffer.depth_m)
    noise = Window(near, near > 0).noise()
    surfaces = smooth_surfaces(1 / buffer.depth_m, noise)
    scene = _Scene(near, buffer.side, camera.fx, surfaces)
    drawn = np.zeros((camera.height, camera.width), np.int32)
    shapes = [each.mask for each in instances]
    if surface == 'dominant':
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
            foreign = surfaces.foreign([_in_cells(each, buffer.side) for each in instances])
            shapes = list(threads.map(scene.surface_of, instances, foreign))
    for number, (instance, shape) in reversed(list(enumerate(zip(instances, shapes), start=1))):
        rows, columns = shape.shape
        place = drawn[instance.row :, instance.column :][:rows, :columns]
        place[shape] = number
    flat = torch.from_numpy(np.append(drawn, np.int32(0))).to(points.device)
    return flat[projected.place] * visible


def _inverse(depth_m: Tensor) -> NDArray[np.float32]:
    return (1 / depth_m).cpu().numpy()


@dataclass(frozen=True, slots=True)
class _Scene:
    """inverse: float32 (rows, columns), 1/m, of cells of `side` pixels; fx: of the camera."""

    inverse: NDArray[np.float32]
    side: int
    fx: float
    surfaces: Surfaces

    def surface_of(self, instance: Instance, foreign) -> Flags:
        """Keep of an instance's mask what is its surface, bool of the same shape."""
        if not instance.mask.any():
            return instance.mask
        window, top, left = self._window(instance)
        pixels = np.count_nonzero(window.mask)
        edge_px = min(max(EDGE_PX / self.side, EDGE_SHARE * pixels**0.5), MOST_EDGE_PX)
        noise = window.noise()
        own = window.mask & (window.inverse > 0) & ~foreign_edge(window, edge_px, noise)
        h, w = own.shape
        own &= ~foreign[self.surfaces.numbers[top:top+h, left:left+w]]
        kept = object_pieces(window, own, noise, self.fx / self.side)
        return self._in_pixels(kept, instance, top, left) & instance.mask

    def _window(self, instance: Instance) -> tuple[Window, int, int]:
        """The object and what is around it, and the first row and column of that, in cells."""
        mask, top, left = _in_cells(instance, self.side)
        rows, columns = mask.shape
        up, back = min(MARGIN_PX, top), min(MARGIN_PX, left)
        inverse = self.inverse[
            top - up : top + rows + MARGIN_PX, left - back : left + columns + MARGIN_PX
        ]
        around = np.zeros(inverse.shape, bool)
        around[up : up + rows, back : back + columns] = mask
        return Window(np.ascontiguousarray(inverse), around), top - up, left - back

    def _in_pixels(self, kept: Flags, instance: Instance, top: int, left: int) -> Flags:
        """What of cells is kept, for each pixel of the instance's mask."""
        height, width = instance.mask.shape
        rows = (np.arange(height) + instance.row) // self.side - top
        columns = (np.arange(width) + instance.column) // self.side - left
        return kept[rows[:, None], columns]


def _in_cells(instance: Instance, side: int) -> tuple[Flags, int, int]:
    """The mask in cells of `side` pixels, any of which counts, and the place of its window."""
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
