# SPDX-License-Identifier: Apache-2.0
"""Point clouds as PLY files, for any viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vizion3d_ros.contracts.errors import DepthError, InputError
from vizion3d_ros.files.ply import encode_vertices

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def write_cloud(path: Path, xyz: NDArray[np.float32], rgb: NDArray[np.uint8]) -> int:
    """
    Write the finite points to a binary PLY file and give their number.

    xyz: float32 (N, 3) metres, kept in the frame in which they were published: the left
    camera's optical frame (REP-103: x right, y down, z forward). NaN points are left out.
    rgb: uint8 (N, 3).
    Raises InputError on wrong shapes; DepthError without a finite point, or if the file cannot be
    written.
    """
    if xyz.ndim != 2 or xyz.shape[1] != 3 or rgb.shape != xyz.shape:
        raise InputError(
            f'points have shape {xyz.shape} and colours {rgb.shape}: both must be (N, 3)'
        )
    finite = np.isfinite(xyz).all(axis=1)
    if not finite.any():
        raise DepthError(f'the cloud holds no valid point, so {path} is not written')
    try:
        path.write_bytes(encode_vertices(xyz[finite], rgb[finite]))
    except OSError as error:
        raise DepthError(
            f'{path} cannot be written: {error.strerror or error}; is the folder there and '
            'writable?'
        ) from error
    return int(finite.sum())
