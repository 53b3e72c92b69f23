# SPDX-License-Identifier: Apache-2.0
"""
One rectified camera somewhere in the synthetic world.

The world and every camera frame are right-handed, x right, y down, z forward, in metres. A pixel
centre (u, v) looks along the ray (x, y, 1) with x = (u - cx) / fx and y = (v - cy) / fy, so the
depth Z of a point on it is also the ray's parameter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


class Window(NamedTuple):
    """A rectangle of pixels; indexes the first two axes of an image."""

    rows: slice
    cols: slice

    @property
    def empty(self) -> bool:
        """Whether no pixel lies inside."""
        return self.rows.stop <= self.rows.start or self.cols.stop <= self.cols.start


@dataclass(frozen=True, slots=True)
class View:
    """A camera and its pose: rotation (3, 3) turns world vectors into camera vectors."""

    camera: Intrinsics
    rotation: Matrix
    position: Vector

    def to_camera(self, point: Vector) -> Vector:
        """Move a world point (3,), metres, into the camera frame."""
        return self.rotation @ (point - self.position)

    def rays(self, window: Window) -> tuple[Vector, Vector]:
        """Ray slopes of a window: x of its columns (w,) and y of its rows (h,)."""
        camera = self.camera
        cols = np.arange(window.cols.start, window.cols.stop)
        rows = np.arange(window.rows.start, window.rows.stop)
        return (cols - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy

    def window(self, x_range: Vector, y_range: Vector) -> Window:
        """All pixels whose ray slopes lie in these ranges (N,), and one more on each side."""
        camera = self.camera
        cols = _clip_range(x_range * camera.fx + camera.cx, camera.width)
        rows = _clip_range(y_range * camera.fy + camera.cy, camera.height)
        return Window(rows, cols)

    @property
    def full_window(self) -> Window:
        """All pixels."""
        return Window(slice(0, self.camera.height), slice(0, self.camera.width))


def stereo_views(rig: StereoRig, rotation: Matrix, position: Vector) -> tuple[View, View]:
    """
    Left and right view of a rig whose left camera has this pose; baseline_m must be known.

    rotation: (3, 3), world to camera. position: (3,) metres, world frame.
    """
    right = rig.left.model_copy(update={'cx': rig.left.cx + rig.doffs})
    offset = rotation.T @ np.array([rig.baseline_m or 0.0, 0.0, 0.0])
    return View(rig.left, rotation, position), View(right, rotation, position + offset)


def look(yaw: float, pitch: float) -> Matrix:
    """World-to-camera rotation (3, 3) of a camera turned right by yaw and down by pitch, rad."""
    return rotation_x(pitch) @ rotation_y(-yaw)


def rotation_x(angle: float) -> Matrix:
    """Rotation (3, 3) about x by an angle in radians."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def rotation_y(angle: float) -> Matrix:
    """Rotation (3, 3) about y by an angle in radians."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def rotation_z(angle: float) -> Matrix:
    """Rotation (3, 3) about z by an angle in radians."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _clip_range(pixels: Vector, size: int) -> slice:
    low, high = math.floor(pixels.min()) - 1, math.ceil(pixels.max()) + 2
    return slice(min(max(low, 0), size), max(min(high, size), 0))
