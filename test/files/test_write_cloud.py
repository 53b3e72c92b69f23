# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from vizion3d_ros.contracts.errors import DepthError, InputError
from vizion3d_ros.files.ply import write_cloud


def test_points_and_colours_survive_the_file(tmp_path):
    open3d = pytest.importorskip('open3d', exc_type=ImportError)
    xyz = np.array([[1, 2, 3], [np.nan] * 3, [-0.5, 0.25, 12.125]], np.float32)
    rgb = np.array([[255, 0, 10], [1, 1, 1], [0, 128, 255]], np.uint8)
    assert write_cloud(tmp_path / 'cloud.ply', xyz, rgb) == 2
    cloud = open3d.io.read_point_cloud(str(tmp_path / 'cloud.ply'))
    np.testing.assert_array_equal(np.asarray(cloud.points), xyz[[0, 2]])
    np.testing.assert_array_equal(np.rint(np.asarray(cloud.colors) * 255), rgb[[0, 2]])


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(DepthError, match=r'missing.cloud.ply: cannot be written: No such file'):
        write_cloud(tmp_path / 'missing' / 'cloud.ply', np.ones((1, 3)), np.ones((1, 3), np.uint8))


def test_a_cloud_without_points_is_an_error(tmp_path):
    nothing = np.full((4, 3), np.nan, np.float32)
    with pytest.raises(DepthError, match='no valid point'):
        write_cloud(tmp_path / 'cloud.ply', nothing, np.zeros((4, 3), np.uint8))


def test_shapes_that_do_not_fit_are_named(tmp_path):
    with pytest.raises(InputError, match=r'\(4, 3\).*\(5, 3\)'):
        write_cloud(tmp_path / 'cloud.ply', np.ones((4, 3)), np.ones((5, 3), np.uint8))
