# SPDX-License-Identifier: Apache-2.0
"""Point clouds as PLY files, for any viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vizion3d_ros.contracts.errors import DepthError, InputError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray


def write_cloud(path: Path, xyz: NDArray[np.float32], rgb: NDArray[np.uint8]) -> int:
    """
    Write the finite points to a binary PLY file and give their number.

    xyz: float32 (N, 3) metres, kept in the frame in which they were published: the left
    camera's optical frame (REP-103: x right, y down, z forward). NaN points are left out.
    rgb: uint8 (N, 3).
    Raises InputError on wrong shapes; DepthError without a finite point, without open3d, or if
    the file cannot be written.
    """
    if xyz.ndim != 2 or xyz.shape[1] != 3 or rgb.shape != xyz.shape:
        raise InputError(
            f'points have shape {xyz.shape} and colours {rgb.shape}: both must be (N, 3)'
        )
    finite = np.isfinite(xyz).all(axis=1)
    if not finite.any():
        raise DepthError(f'the cloud holds no valid point, so {path} is not written')
    open3d = _open3d()
    cloud = open3d.geometry.PointCloud()
    cloud.points = open3d.utility.Vector3dVector(xyz[finite].astype(np.float64))
    cloud.colors = open3d.utility.Vector3dVector(rgb[finite] / 255.0)
    if not open3d.io.write_point_cloud(str(path), cloud):
        raise DepthError(f'open3d could not write {path}: is the folder there and writable?')
    return int(finite.sum())


def _open3d() -> ModuleType:
    try:
        import open3d
    except (ImportError, OSError) as error:
        raise DepthError(
            f'open3d, which writes the point cloud, cannot be imported ({error}): '
            'pip install open3d, and on a bare Debian or Ubuntu '
            'apt install libusb-1.0-0 libgl1 libgomp1'
        ) from error
    module: ModuleType = open3d
    return module
