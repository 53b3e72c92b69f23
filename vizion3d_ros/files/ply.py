# SPDX-License-Identifier: Apache-2.0
"""
Points as the bytes of a PLY file, as vizion3d sends them: binary, float32, colours as bytes.

open3d writes PLY to files only, and takes and writes float64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
