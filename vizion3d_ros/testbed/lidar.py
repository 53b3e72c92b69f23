# SPDX-License-Identifier: Apache-2.0
"""
A spinning lidar beside a camera, made from the camera's true depth.

Its body frame is that of REP-103: x forward, y left, z up. It sees what the camera sees, ring
below ring; what only one of the two would see is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.geometry.pose import read_pose

LIDAR_POSE = (0.1, -0.05, -0.08, 0.5, -0.5, 0.5, 0.5)
"""
Where the lidar of the synthetic rig sits, as its pose in the optical frame of the left camera.

10 cm to the right, 5 cm above, 8 cm behind; x, y, z in metres, quaternion x, y, z, w.
"""

DENSITY = 4  # a ring has this many times more points per pixel than there are rings per pixel
FACTORS = (0.5, 2.0)  # a wrong range is between these times the true one


def simulate(
    depth_m: NDArray[np.float32],
    camera: Intrinsics,
    pose: Sequence[float],
    points: int,
    noise_m: float,
    outliers: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """
    Scan what a depth image shows: float32 (N, 3) points in the lidar's frame, metres.

    depth_m: float32 (H, W) metres along the optical axis of camera; of the points, pixels without
    depth are not hit. pose: of the lidar in the optical frame. noise_m: standard deviation of the
    ranges in metres. outliers: share of points whose range is wrong altogether. Without both, the
    points lie exactly on pixel centres. Raises InputError for a pose that is none.
    """
    rows, columns = _rings(points, camera)
    z = depth_m[rows, columns].astype(np.float64)
    measured = np.isfinite(z) & (z > 0)
    rows, columns, z = rows[measured], columns[measured], z[measured]
    x, y = (columns - camera.cx) / camera.fx * z, (rows - camera.cy) / camera.fy * z
    rotation, translation = read_pose(pose)
    hits = (np.stack([x, y, z], axis=1) - translation) @ rotation
    ranges = np.linalg.norm(hits, axis=1)
    stretch = 1 + rng.normal(0.0, noise_m, ranges.size) / ranges
    wrong = rng.random(ranges.size) < outliers
    stretch[wrong] = rng.uniform(*FACTORS, int(wrong.sum()))
    return (hits * stretch[:, None]).astype(np.float32)


def _rings(points: int, camera: Intrinsics) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the pixels hit, int (points,), spread evenly over the image."""
    rings = max(round((points * camera.height / camera.width / DENSITY) ** 0.5), 1)
    ring, along = np.divmod(np.arange(points) * rings, points)
    rows = (2 * ring + 1) * camera.height // (2 * rings)
    return rows, along * camera.width // points
