# SPDX-License-Identifier: Apache-2.0
"""
Poses as people write them, seven numbers, become rotation matrix and translation.

A pose of frame B in frame A moves points of B into A: p_A = R p_B + t. Quaternions are x, y, z, w
as in geometry_msgs/Pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.errors import InputError

Real = TypeVar('Real', np.float32, np.float64)

LEAST_NORM = 1e-6  # a shorter quaternion is meant as none


class Pose(NamedTuple):
    """rotation: float64 (3, 3), orthonormal; translation: float64 (3,), metres."""

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]


def read_pose(numbers: Sequence[float]) -> Pose:
    """
    Read x, y, z in metres and the quaternion x, y, z, w, which need not be normalised.

    Raises InputError unless these are seven finite numbers and the quaternion is not zero.
    """
    values = np.asarray(numbers, np.float64)
    if values.shape != (7,) or not np.isfinite(values).all():
        raise InputError(
            'a pose must be 7 finite numbers (x, y, z in metres, quaternion x, y, z, w), '
            f'got {list(numbers)}'
        )
    norm = np.linalg.norm(values[3:])
    if norm < LEAST_NORM:
        raise InputError(
            f'the quaternion of a pose must not be zero, got {list(numbers)[3:]}: '
            'no rotation is 0, 0, 0, 1'
        )
    return Pose(_rotation(values[3:] / norm), values[:3])


def _rotation(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def to_opengl(points: NDArray[np.float32], dtype: type[Real]) -> NDArray[Real]:
    """
    Turn x right, y down, z forward (REP-103) into x right, y up, z backward.

    points: (N, 3 or more); returns (N, 3) of dtype, contiguous.
    """
    turned = np.empty((len(points), 3), dtype)
    turned[:, 0] = points[:, 0]
    np.negative(points[:, 1:3], out=turned[:, 1:])
    return turned
