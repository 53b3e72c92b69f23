# SPDX-License-Identifier: Apache-2.0
"""Points as PLY: axes, colours and header as other programs read them."""

import numpy as np
import pytest

from vizion3d_ros.files.ply import encode_ply, encode_vertices

XYZ = np.array([[1, 2, 3], [-0.5, 0.25, 12.125]], np.float32)
RGB = np.array([[255, 0, 10], [1, 128, 255]], np.uint8)


def packed():
    colour = (RGB.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)).astype(np.uint32)
    return np.column_stack([XYZ, colour.view(np.float32)])


def test_packed_points_are_turned_to_opengl(tmp_path):
    open3d = pytest.importorskip('open3d', exc_type=ImportError)
    path = tmp_path / 'cloud.ply'
    path.write_bytes(encode_ply(packed()))
    cloud = open3d.io.read_point_cloud(str(path))
    np.testing.assert_array_equal(np.asarray(cloud.points), XYZ * [1, -1, -1])
    np.testing.assert_array_equal(np.rint(np.asarray(cloud.colors) * 255), RGB)


def test_points_with_colours_apart_stay_in_their_frame():
    body = encode_vertices(XYZ, RGB).partition(b'end_header\n')[2]
    vertices = np.frombuffer(body, [('xyz', '<f4', 3), ('rgb', 'u1', 3)])
    np.testing.assert_array_equal(vertices['xyz'], XYZ)
    np.testing.assert_array_equal(vertices['rgb'], RGB)


def test_a_comment_stands_in_the_header_and_harms_no_reader(tmp_path):
    open3d = pytest.importorskip('open3d', exc_type=ImportError)
    path = tmp_path / 'cloud.ply'
    path.write_bytes(encode_ply(packed(), 'no metres'))
    assert path.read_bytes().startswith(
        b'ply\nformat binary_little_endian 1.0\ncomment no metres\nelement vertex 2\n'
    )
    assert len(open3d.io.read_point_cloud(str(path)).points) == 2
    assert b'comment' not in encode_ply(packed())
