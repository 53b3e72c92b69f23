# SPDX-License-Identifier: Apache-2.0
from array import array

import numpy as np
import pytest

pytest.importorskip('sensor_msgs')

from scene import pixels_message
from sensor_msgs.msg import PointCloud2, PointField
from stereo_msgs.msg import DisparityImage

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.ros.messages.instances import measured_points
from vizion3d_ros.ros.messages.measurements import (
    cloud_points,
    disparity_map,
    float_map,
    points_of,
)

NAN = float('nan')


@pytest.mark.parametrize('dtype', ['<f4', '>f4'])
@pytest.mark.parametrize('padding', [0, 3, 12])
def test_floats_of_either_byte_order_with_row_padding(dtype, padding):
    pixels = np.array([[1.5, NAN, 3], [-4, 5, 6]], dtype)
    np.testing.assert_array_equal(
        float_map(pixels_message(pixels, '32FC1', padding=padding)), pixels
    )


@pytest.mark.parametrize('dtype', ['<u2', '>u2'])
def test_millimetres_become_metres_and_zero_no_measurement(dtype):
    depth_m = float_map(pixels_message(np.array([[0, 1250, 65535]], dtype), '16UC1', padding=2))
    assert depth_m.dtype == np.float32
    np.testing.assert_allclose(depth_m, [[NAN, 1.25, 65.535]])


def test_the_largest_float_is_no_point(recwarn):
    depth_m = np.array([[2.0, np.finfo(np.float32).max]], np.float32)
    camera = Intrinsics(width=2, height=1, fx=0.5, fy=0.5, cx=0.0, cy=0.0)
    assert measured_points(pixels_message(depth_m, '32FC1'), camera).tolist() == [[0.0, 0.0, 2.0]]
    assert not recwarn.list


@pytest.mark.parametrize(
    ('change', 'text'),
    [
        ({'encoding': 'mono8'}, "'mono8'"),
        ({'step': 7}, 'step is 7 bytes'),
        ({'height': 9}, '9 rows of 8'),
        ({'height': 0}, 'empty: 2x0'),
        ({'width': 0}, 'empty: 0x2'),
    ],
)
def test_an_image_that_contradicts_itself_is_refused(change, text):
    message = pixels_message(np.ones((2, 2), np.float32), '32FC1')
    for field, value in change.items():
        setattr(message, field, value)
    with pytest.raises(InputError, match=text):
        float_map(message)


def test_disparity_below_the_minimum_is_no_measurement():
    pixels = np.array([[0.0, 1.9, 2.0, 30.0]], np.float32)
    message = DisparityImage(image=pixels_message(pixels, '32FC1'), min_disparity=2.0)
    np.testing.assert_array_equal(disparity_map(message), [[NAN, NAN, 2.0, 30.0]])


def cloud(order, point_step=20, padding=5):
    """Two rows of two points, fields out of order and spread, as other drivers have them."""
    offsets = {'rgb': 0, 'z': 4, 'x': 8, 'y': 12}
    layout = np.dtype(
        {
            'names': list(offsets),
            'formats': [order + 'u4', *[order + 'f4'] * 3],
            'offsets': list(offsets.values()),
            'itemsize': point_step,
        }
    )
    points = np.zeros((2, 2), layout)
    points['x'], points['y'] = [[1, 2], [3, 4]], [[5, 6], [7, 8]]
    points['z'] = [[9, NAN], [10, 11]]
    points['rgb'] = 0x00102030
    rows = points.view(np.uint8).reshape(2, -1)
    message = PointCloud2(height=2, width=2, point_step=point_step, is_bigendian=order == '>')
    message.fields = [
        PointField(name=name, offset=offset, datatype=PointField.FLOAT32, count=1)
        for name, offset in offsets.items()
    ]
    message.row_step = rows.shape[1] + padding
    message.data = array('B', np.pad(rows, ((0, 0), (0, padding))).tobytes())
    return message


@pytest.mark.parametrize('order', ['<', '>'])
def test_points_are_read_by_their_fields(order):
    xyz, rgb = cloud_points(cloud(order))
    np.testing.assert_array_equal(xyz, [[1, 5, 9], [2, 6, NAN], [3, 7, 10], [4, 8, 11]])
    assert rgb.dtype == np.uint8 and (rgb == [0x10, 0x20, 0x30]).all()


def test_a_cloud_without_colours_is_refused_by_name():
    message = cloud('<')
    message.fields = message.fields[1:]
    with pytest.raises(InputError, match='no float32 field rgb'):
        cloud_points(message)


@pytest.mark.parametrize('order', ['<', '>'])
def test_places_are_read_by_their_fields_again_and_again_without_those_that_are_none(order):
    message = cloud(order)
    for _ in range(2):  # the same scan serves several images
        points = points_of(message)
        assert points.dtype == np.float32
        np.testing.assert_array_equal(points, [[1, 5, 9], [3, 7, 10], [4, 8, 11]])


LIDARS = {  # layouts of drivers: what comes before, between and behind x, y, z
    'ring first': [('ring', 'u2'), ('x', 'f4'), ('y', 'f4'), ('z', 'f4'), ('time', 'f8')],
    'intensity between': [('x', 'f4'), ('i', 'u1'), ('y', 'f4'), ('t', 'u4'), ('z', 'f4')],
    'double': [('x', 'f8'), ('y', 'f8'), ('z', 'f8')],
    'mixed': [('z', 'f8'), ('y', 'f4'), ('x', 'f4')],
}
TYPES = {'u1': 2, 'u2': 4, 'u4': 6, 'f4': 7, 'f8': 8}


def lidar(layout, count=3):
    table = np.zeros(count, np.dtype(layout))
    for index, axis in enumerate('xyz'):
        table[axis] = 10 * index + np.arange(count)
    message = PointCloud2(height=1, width=count, point_step=table.itemsize)
    message.row_step = table.nbytes
    message.fields = [
        PointField(name=name, offset=table.dtype.fields[name][1], datatype=TYPES[kind], count=1)
        for name, kind in layout
    ]
    message.data = array('B', table.tobytes())
    return message


@pytest.mark.parametrize('layout', LIDARS)
def test_the_layouts_of_lidar_drivers_are_read(layout):
    points = points_of(lidar(LIDARS[layout]))
    np.testing.assert_array_equal(points, [[0, 10, 20], [1, 11, 21], [2, 12, 22]])


def test_a_scan_of_one_row_needs_no_row_step():
    message = lidar(LIDARS['double'])
    message.row_step = 0
    assert points_of(message).shape == (3, 3)


def test_an_empty_scan_has_no_points():
    message = lidar(LIDARS['double'], count=0)
    assert points_of(message).shape == (0, 3)


def integers(message):
    for field in message.fields:
        field.datatype = PointField.INT32


@pytest.mark.parametrize(
    ('spoil', 'text'),
    [
        (lambda message: message.fields.pop(1), "float64 field y; its fields are ['x', 'z']"),
        (integers, 'no float32 or float64 field x'),
        (lambda message: message.data.pop(), 'the message has 71 bytes'),
        (lambda message: setattr(message.fields[2], 'offset', 20), '8 bytes at 20'),
        (lambda message: setattr(message, 'point_step', 0), 'point_step is 0'),
        (lambda message: setattr(message, 'height', 2), 'the message has 72 bytes'),
    ],
)
def test_a_scan_that_contradicts_itself_is_refused(spoil, text):
    message = lidar(LIDARS['double'])
    message.fields = list(message.fields)
    spoil(message)
    with pytest.raises(InputError) as caught:
        points_of(message)
    assert text in str(caught.value)


def test_a_cloud_with_a_row_step_below_its_rows_is_refused():
    message = cloud('<')
    message.row_step = 30
    with pytest.raises(InputError, match='row_step 30'):
        points_of(message)
