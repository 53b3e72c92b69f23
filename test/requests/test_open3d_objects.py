# SPDX-License-Identifier: Apache-2.0
"""Arrays as open3d objects."""

import numpy as np
import pytest

from vizion3d_ros.requests.open3d_objects import make_image, make_point_cloud

pytest.importorskip('open3d')


def test_points_turn_into_opengl_space_with_their_colours():
    points = np.float32([[1.5, -2.25, 3.0, 0.0], [0.1, 0.2, 0.3, 0.0]])
    points[:, 3] = np.uint32([0x0010FF80, 0]).view(np.float32)
    cloud = make_point_cloud(points)
    expected = points[:, :3].astype(np.float64) * [1, -1, -1]
    np.testing.assert_array_equal(np.asarray(cloud.points), expected)
    np.testing.assert_array_equal(np.asarray(cloud.colors), [[16 / 255, 1.0, 128 / 255], [0] * 3])


def test_a_cloud_may_be_empty():
    cloud = make_point_cloud(np.empty((0, 4), np.float32))
    assert len(cloud.points) == len(cloud.colors) == 0


def test_a_picture_keeps_its_sixteen_bits():
    picture = np.arange(6, dtype=np.uint16).reshape(2, 3) * 13_000
    np.testing.assert_array_equal(np.asarray(make_image(picture)), picture)
