# SPDX-License-Identifier: Apache-2.0
"""
The behaviour that we rely on of sensor_msgs_py, whichever is installed.

Holds for the package of a ROS distribution and for the stand-in in standalone/packages alike.
"""

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
point_cloud2 = pytest.importorskip('sensor_msgs_py.point_cloud2')

from sensor_msgs.msg import PointCloud2, PointField  # noqa: E402
from std_msgs.msg import Header  # noqa: E402

POINTS = np.array([[1, 2, 3], [4, np.nan, 6], [7, 8, 9], [10, 11, 12]], np.float32)


def test_xyz32_cloud_has_the_documented_layout():
    cloud = point_cloud2.create_cloud_xyz32(Header(frame_id='camera'), POINTS)
    assert isinstance(cloud, PointCloud2)
    assert [(f.name, f.offset, f.datatype, f.count) for f in cloud.fields] == [
        (name, 4 * i, PointField.FLOAT32, 1) for i, name in enumerate('xyz')
    ]
    assert (cloud.height, cloud.width, cloud.point_step, cloud.row_step) == (1, 4, 12, 48)
    assert (cloud.is_dense, cloud.is_bigendian, cloud.header.frame_id) == (False, False, 'camera')
    assert bytes(cloud.data) == POINTS.tobytes()


def test_points_come_back_by_name():
    cloud = point_cloud2.create_cloud_xyz32(Header(), POINTS)
    points = point_cloud2.read_points(cloud, field_names=['z', 'x'])
    assert set(points.dtype.names) == {'x', 'z'}
    np.testing.assert_array_equal(points['z'], POINTS[:, 2])


def test_nan_is_skipped_on_request():
    cloud = point_cloud2.create_cloud_xyz32(Header(), POINTS)
    finite = point_cloud2.read_points_numpy(cloud, skip_nans=True)
    np.testing.assert_array_equal(finite, POINTS[[0, 2, 3]])


def test_points_are_picked_by_index():
    cloud = point_cloud2.create_cloud_xyz32(Header(), POINTS)
    picked = point_cloud2.read_points_numpy(cloud, uvs=[3, 0])
    np.testing.assert_array_equal(picked, POINTS[[3, 0]])


def test_point_step_may_leave_room():
    cloud = point_cloud2.create_cloud_xyz32(Header(), POINTS)
    wide = point_cloud2.create_cloud(Header(), cloud.fields, POINTS, point_step=16)
    assert (wide.point_step, len(wide.data)) == (16, 64)
    np.testing.assert_array_equal(point_cloud2.read_points_numpy(wide), POINTS)


def test_fields_of_several_types_come_from_rows():
    fields = [
        PointField(name='x', offset=0, datatype=PointField.FLOAT32, count=1),
        PointField(name='ring', offset=4, datatype=PointField.UINT16, count=1),
    ]
    cloud = point_cloud2.create_cloud(Header(), fields, [(0.5, 3), (1.5, 4)])
    assert point_cloud2.read_points(cloud).tolist() == [(0.5, 3), (1.5, 4)]


def test_two_dimensions_make_an_organised_cloud_first_axis_width():
    cloud = point_cloud2.create_cloud_xyz32(Header(), POINTS.reshape(2, 2, 3)[:1])
    assert (cloud.width, cloud.height) == (1, 2)
