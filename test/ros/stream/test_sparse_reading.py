# SPDX-License-Identifier: Apache-2.0
"""A message of sparse depth is read as depths at pixels of the image, or says why it is not."""

import numpy as np
import pytest
from mono_robot import (
    DEPTH_M,
    GREY,
    LIDAR_POSE,
    cloud_message,
    depth_image_message,
    measured,
    seen_by_lidar,
)
from scene import FRAME_ID, HEIGHT, WIDTH, image_message
from sensor_msgs.msg import Image, PointCloud2

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.settings.mono_settings import SparseDepthSettings
from vizion3d_ros.ros.stream.sparse_reading import read_sparse

pytestmark = pytest.mark.ros

STAMP_NS = 1000 * 10**9
NOT_MOVED = SparseDepthSettings().transform
CAMERA = Intrinsics(
    width=WIDTH, height=HEIGHT, fx=200, fy=200, cx=(WIDTH - 1) / 2, cy=(HEIGHT - 1) / 2
)


@pytest.fixture
def image():
    return image_message(GREY, STAMP_NS)


@pytest.fixture
def cloud():
    return cloud_message(seen_by_lidar(measured()), STAMP_NS)


def test_a_good_message_has_depths_and_nothing_to_say(cloud, image):
    reading = read_sparse(cloud, image, CAMERA, LIDAR_POSE)
    assert reading.depth.depth_m.shape == (400,)
    assert (reading.fault, reading.doubt) == ('', '')


def test_a_message_that_cannot_be_used_says_why_and_is_doubted_all_the_same(cloud, image):
    cloud.fields = cloud.fields[1:]
    reading = read_sparse(cloud, image, CAMERA, NOT_MOVED)
    assert reading.depth is None
    assert reading.fault.startswith('sparse depth cannot be used: the cloud has no float32 or')
    assert reading.doubt.startswith("the points are in frame 'lidar' and the image in ")


def test_sparse_depth_of_both_kinds_of_message_lands_on_the_same_pixels(image):
    points = cloud_message(measured(), STAMP_NS, FRAME_ID)
    for message in (points, depth_image_message(DEPTH_M, STAMP_NS)):
        found = read_sparse(message, image, CAMERA, NOT_MOVED).depth
        rows, columns = found.rows.round().astype(int), found.columns.round().astype(int)
        np.testing.assert_allclose(found.depth_m, DEPTH_M[rows, columns], 1e-4)


@pytest.mark.parametrize('message', [PointCloud2(), Image(), Image(encoding='32FC1')])
def test_a_message_that_holds_no_depth_is_refused(message, image):
    reading = read_sparse(message, image, CAMERA, NOT_MOVED)
    assert reading.depth is None and reading.fault
