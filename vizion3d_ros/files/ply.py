# SPDX-License-Identifier: Apache-2.0
"""
Points as the bytes of a PLY file, as vizion3d sends them: binary, float32, colours as bytes.

open3d writes PLY to files only, and takes and writes float64.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.errors import DepthError, InputError
from vizion3d_ros.files.result_folder import unwritable, write_whole
from vizion3d_ros.geometry.pose import to_opengl

VERTEX = np.dtype([('position', '<f4', 3), ('colour', 'u1', 3)])
HEADER = """ply
format binary_little_endian 1.0
{comment}element vertex {count}
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
end_header
"""


def encode_ply(points: NDArray[np.float32], comment: str = '') -> bytes:
    """
    Encode points, float32 (N, 4): x, y, z in the optical frame and rgb bits 0x00RRGGBB.

    The file has x right, y up, z backward (OpenGL), in the unit of the points. comment: one line
    for its header.
    """
    blue_green_red = points[:, 3:].view(np.uint8)[:, :3]
    return encode_vertices(to_opengl(points, np.float32), blue_green_red[:, ::-1], comment)


def encode_vertices(xyz: NDArray[np.float32], rgb: NDArray[np.uint8], comment: str = '') -> bytes:
    """Encode points, (N, 3) in any frame, with colours, uint8 (N, 3); comment as above."""
    vertices = np.empty(len(xyz), VERTEX)
    vertices['position'] = xyz
    vertices['colour'] = rgb
    line = f'comment {comment}\n' if comment else ''
    return HEADER.format(comment=line, count=len(xyz)).encode() + vertices.tobytes()


def write_cloud(path: Path, xyz: NDArray[np.float32], rgb: NDArray[np.uint8]) -> int:
    """
    Write the finite points to a binary PLY file and give their number.

    xyz: float32 (N, 3) metres, kept in the frame in which they were published: the left
    camera's optical frame (REP-103: x right, y down, z forward). NaN points are left out.
    rgb: uint8 (N, 3).
    Raises InputError on wrong shapes or if the file cannot be written, DepthError without a finite
    point.
    """
    if xyz.ndim != 2 or xyz.shape[1] != 3 or rgb.shape != xyz.shape:
        raise InputError(
            f'points have shape {xyz.shape} and colours {rgb.shape}: both must be (N, 3)'
        )
    finite = np.isfinite(xyz).all(axis=1)
    if not finite.any():
        raise DepthError(f'the cloud holds no valid point, so {path} is not written')
    try:
        write_whole(path, encode_vertices(xyz[finite], rgb[finite]))
    except OSError as error:
        raise unwritable(path, error) from error
    return int(finite.sum())
