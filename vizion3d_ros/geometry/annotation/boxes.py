# SPDX-License-Identifier: Apache-2.0
"""The box around the points of an object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_FOR_AXES = 3  # fewer points have no directions of their own
FEW_PER_NOISE = 5.0  # share of the points, of either end of an axis
MOST_FEW = 0.05
FAR = 0.25  # of the longest side


@dataclass(frozen=True, slots=True, eq=False)
class Box3D:
    """
    centre, size: float64 (3,), metres; size along the axes of the box.

    rotation: float64 (3, 3), its columns are the axes of the box in the frame of the points;
    right-handed.
    """

    centre: NDArray[np.float64]
    size: NDArray[np.float64]
    rotation: NDArray[np.float64]

    @property
    def quaternion(self) -> tuple[float, float, float, float]:
        """The rotation as x, y, z, w."""
        m = self.rotation
        # Of the four ways the one that divides by the largest number.
        squares = 1 + np.array([2 * m[i, i] - np.trace(m) for i in range(3)] + [np.trace(m)])
        largest = int(squares.argmax())
        if largest == 3:
            vector = np.array([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
            values = np.append(vector, squares[3])
        else:
            values = m[:, largest] + m[largest]
            values[largest] = squares[largest]
            j, k = (largest + 1) % 3, (largest + 2) % 3
            values = np.append(values, m[k, j] - m[j, k])
        x, y, z, w = values / np.linalg.norm(values)
        return float(x), float(y), float(z), float(w)


def box_around(points: NDArray[np.floating], oriented: bool, noise: float = 0.0) -> Box3D:
    """
    Enclose points (N, 3), N > 0, metres: along the axes of their frame, or along their own.

    oriented: along the principal axes of the points, longest first. noise: of the depth, relative;
    what few points lie far from all others is then left out, as matching smears depth over edges.
    """
    points = points.astype(np.float64)
    axes = np.eye(3)
    if oriented and len(points) >= LEAST_FOR_AXES:
        axes = np.linalg.eigh(np.cov(points.T))[1][:, ::-1]
        axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    along = points @ axes
    few = min(FEW_PER_NOISE * noise, MOST_FEW)
    low, high = np.quantile(along, (few, 1 - few), axis=0)
    far = FAR * (high - low).max()
    along = along[((along >= low - far) & (along <= high + far)).all(1)]
    low, high = along.min(axis=0), along.max(axis=0)
    return Box3D(axes @ ((low + high) / 2), high - low, axes)
