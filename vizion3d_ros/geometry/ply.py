# SPDX-License-Identifier: Apache-2.0
"""
Points as the bytes of a PLY file, as vizion3d sends them: binary, OpenGL axes.

open3d writes PLY to files only, and takes float64; these are the wire's float32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VERTEX = np.dtype([('position', '<f4', 3), ('colour', 'u1', 3)])
HEADER = """ply
format binary_little_endian 1.0
element vertex {count}
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
end_header
"""


def encode_ply(points: NDArray[np.float32]) -> bytes:
    """
    Encode points, float32 (N, 4): x, y, z in the optical frame and rgb bits 0x00RRGGBB.

    The file has x right, y up, z backward (OpenGL), in the unit of the points.
    """
    vertices = np.empty(len(points), VERTEX)
    vertices['position'] = points[:, :3] * np.float32([1, -1, -1])
    blue_green_red = points[:, 3:].view(np.uint8)[:, :3]
    vertices['colour'] = blue_green_red[:, ::-1]
    return HEADER.format(count=len(points)).encode() + vertices.tobytes()
