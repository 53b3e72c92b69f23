# SPDX-License-Identifier: Apache-2.0
"""
Depth at some pixels of an image: from points of a lidar, from a depth image, or pixel by pixel.

Of dense inputs at most `MOST_POINTS` are kept, spread evenly over the order they came in: a fit of
two numbers does not get better with more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.metric_scale import SparseDepth
from vizion3d_ros.geometry.pose import read_pose

MOST_POINTS = 4000


def project(
    points: NDArray[np.floating[Any]], transform: Sequence[float], camera: Intrinsics
) -> SparseDepth:
    """
    Project points, (N, 3) metres in a frame of their own, into a rectified image.

    transform: pose of that frame in the optical frame, x, y, z and quaternion x, y, z, w. Points
    that are not finite, not in front of the camera or outside the image are left out. Points that
    something nearer hides from the camera stay: the fit recognises them. Raises InputError for a
    transform that is no pose.
    """
    pose = read_pose(transform)
    with np.errstate(all='ignore'):  # what is not finite fails the comparisons
        x, y, z = pose.rotation.astype(np.float32) @ np.asarray(points, np.float32).T
        x, y, z = (axis + np.float32(t) for axis, t in zip((x, y, z), pose.translation))
        columns = x / z * np.float32(camera.fx) + np.float32(camera.cx)
        rows = y / z * np.float32(camera.fy) + np.float32(camera.cy)
        seen = (z > 0) & (z < np.inf) & _inside(columns, camera.width)
        seen &= _inside(rows, camera.height)
    kept = _thinned(np.flatnonzero(seen))
    return SparseDepth(columns[kept], rows[kept], z[kept])


def from_depth_image(depth_m: NDArray[np.float32], camera: Intrinsics) -> SparseDepth:
    """
    Take the measured pixels of a depth image seen by the same camera; NaN or <= 0 = none.

    depth_m: float32 (H, W) metres. If its size is not the camera's, pixels are moved by the true
    ratio of the sizes, the corners of the images being the same.
    """
    height, width = depth_m.shape
    values = depth_m.ravel()
    kept = _thinned(np.flatnonzero((values > 0) & (values < np.inf)))
    rows, columns = np.divmod(kept, width)
    return SparseDepth(
        _resized(columns, camera.width / width),
        _resized(rows, camera.height / height),
        values[kept].astype(np.float32, copy=False),
    )


def from_pixels(points: NDArray[np.floating[Any]], width: int, height: int) -> SparseDepth:
    """
    Keep the points that lie in an image of this size and have a depth.

    points: (N, 3), columns u, v in pixels, whole numbers at pixel centres, and metres along the
    optical axis.
    """
    columns, rows, depth_m = points.astype(np.float32).T
    kept = _inside(columns, width) & _inside(rows, height) & (depth_m > 0) & (depth_m < np.inf)
    return SparseDepth(columns[kept], rows[kept], depth_m[kept])


def _inside(pixels: NDArray[np.float32], size: int) -> NDArray[np.bool_]:
    return (pixels >= -0.5) & (pixels < size - 0.5)


def _resized(pixels: NDArray[np.intp], ratio: float) -> NDArray[np.float32]:
    return ((pixels + 0.5) * ratio - 0.5).astype(np.float32)


def _thinned(indices: NDArray[np.intp]) -> NDArray[np.intp]:
    """
    Pick one of every so many at random, always the same.

    Every n-th would be no fair choice: n may be a multiple of the beams of a lidar.
    """
    if indices.size <= MOST_POINTS:
        return indices
    places = np.arange(MOST_POINTS) + np.random.default_rng(0).random(MOST_POINTS)
    return indices[(places * (indices.size / MOST_POINTS)).astype(np.intp)]
