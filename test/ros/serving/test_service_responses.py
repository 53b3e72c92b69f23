# SPDX-License-Identifier: Apache-2.0
"""Responses field by field: what was asked for in full, everything else empty."""

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from encoded import read_ply
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image, PointCloud2
from sensor_msgs_py import point_cloud2
from std_msgs.msg import Header

from vizion3d_interfaces.srv import RunDepthEstimation, RunStereoDepth
from vizion3d_ros.requests.mono import DepthEstimationResult
from vizion3d_ros.requests.stereo import StereoDepthResult
from vizion3d_ros.ros.serving.service_responses import mono_response, stereo_response

pytestmark = pytest.mark.ros

HEADER = Header(stamp=Time(sec=12, nanosec=345), frame_id='left_optical')
DEPTH = np.array([[0.0, 1.5, 2.0], [4.0, 0.0, 2.5]], np.float32)
DISPARITY = np.array([[0.0, 8.0, 6.0], [3.0, 0.0, 4.8]], np.float32)
PICTURE = np.array([[0, 65535, 52428], [0, 0, 39321]], np.uint16)
RGB = np.array([[255, 0, 10], [1, 2, 3]], np.uint8)
XYZ = np.array([[1, 2, 3], [-4, 5, 6]], np.float32)
COMMON = {
    'min_depth': 1.5,
    'max_depth': 4.0,
    'backend_used': 'opencv-sgbm',
}


def points():
    words = (RGB.astype(np.uint32) @ [1 << 16, 1 << 8, 1]).astype(np.uint32)
    return np.column_stack([XYZ, words.view(np.float32)])


def stereo(**parts):
    answer = StereoDepthResult(depth=DEPTH, disparity=DISPARITY, **COMMON, **parts)
    return stereo_response(answer, HEADER)


def mono(**parts):
    answer = DepthEstimationResult(depth=DEPTH, **{'is_metric': False, **COMMON, **parts})
    return mono_response(answer, HEADER)


@pytest.mark.parametrize(
    'whole', [stereo(points=points()), mono(points=points())], ids=['stereo', 'mono']
)
def test_without_the_maps_all_else_is_the_same(whole):
    is_stereo = isinstance(whole, RunStereoDepth.Response)
    answer = (
        StereoDepthResult(depth=DEPTH, disparity=DISPARITY, points=points(), **COMMON)
        if is_stereo
        else DepthEstimationResult(depth=DEPTH, is_metric=False, points=points(), **COMMON)
    )
    respond = stereo_response if is_stereo else mono_response
    response = respond(answer, HEADER, omit_maps=True)
    maps = ('depth_map', 'disparity_map') if is_stereo else ('depth_map',)
    for name in maps:
        assert getattr(response, name) == Image()
        setattr(response, name, getattr(whole, name))
    assert response == whole


def pixels(message, dtype):
    assert message.header == HEADER
    assert not message.is_bigendian
    assert message.step == message.width * np.dtype(dtype).itemsize
    return np.frombuffer(message.data, dtype).reshape(message.height, message.width)


def test_a_stereo_response_carries_its_numbers():
    response = stereo()
    assert (response.success, response.message) == (True, '')
    np.testing.assert_array_equal(pixels(response.depth_map, np.float32), DEPTH)
    np.testing.assert_array_equal(pixels(response.disparity_map, np.float32), DISPARITY)
    assert response.depth_map.encoding == response.disparity_map.encoding == '32FC1'
    assert (response.min_depth, response.max_depth) == (1.5, 4.0)
    assert response.backend_used == 'opencv-sgbm'
    assert response.point_cloud_scale == 1.0


@pytest.mark.parametrize('is_metric', [True, False])
def test_a_mono_response_says_what_its_numbers_are(is_metric):
    response = mono(is_metric=is_metric)
    assert response.is_metric is is_metric
    np.testing.assert_array_equal(pixels(response.depth_map, np.float32), DEPTH)
    assert (response.min_depth, response.max_depth, response.success) == (1.5, 4.0, True)
    assert response.point_cloud_scale == 1.0


@pytest.mark.parametrize('respond', [stereo, mono])
def test_what_was_not_asked_for_is_empty(respond):
    response = respond()
    assert response.depth_image == Image()
    assert response.point_cloud == PointCloud2()
    assert len(response.point_cloud_ply) == 0


@pytest.mark.parametrize('respond', [stereo, mono])
def test_the_picture_is_16_bit_grey(respond):
    message = respond(picture=PICTURE).depth_image
    assert message.encoding == 'mono16'
    np.testing.assert_array_equal(pixels(message, np.uint16), PICTURE)


@pytest.mark.parametrize('respond', [stereo, mono])
def test_both_clouds_hold_the_same_points_in_axes_of_their_own(respond):
    response = respond(points=points())
    assert response.point_cloud.header == HEADER
    read = point_cloud2.read_points(response.point_cloud)
    optical = np.stack([read[name] for name in 'xyz'], 1)
    np.testing.assert_array_equal(optical, XYZ)
    np.testing.assert_array_equal(read['rgb'].view(np.uint32), [0xFF000A, 0x010203])
    xyz, rgb = read_ply(response.point_cloud_ply)
    np.testing.assert_array_equal(xyz, XYZ * [1, -1, -1])
    np.testing.assert_array_equal(rgb, RGB)


@pytest.mark.parametrize(
    ('respond', 'kind'), [(stereo, RunStereoDepth.Response), (mono, RunDepthEstimation.Response)]
)
def test_a_response_goes_through_the_middleware_unchanged(respond, kind):
    response = respond(picture=PICTURE, points=points())
    assert deserialize_message(serialize_message(response), kind) == response


@pytest.mark.parametrize('respond', [stereo, mono])
def test_a_cloud_without_points_is_there_but_has_none(respond):
    response = respond(points=np.empty((0, 4), np.float32))
    assert (response.point_cloud.width, len(response.point_cloud.data)) == (0, 0)
    assert len(response.point_cloud.fields) == 4
    assert read_ply(response.point_cloud_ply)[0].shape == (0, 3)
