# SPDX-License-Identifier: Apache-2.0
"""The running annotation node under masks, detections, depth and clouds that do not fit."""

import numpy as np
import pytest
from detector import FRAME, PROGRAM, RIG, THERE, cloud_of
from diagnostic_msgs.msg import DiagnosticStatus
from vision_msgs.msg import Detection3DArray

from vizion3d_ros.ros.messages.instances import measured_points
from vizion3d_ros.ros.testbed.camera_messages import LEFT_FRAME, image_message

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def nodes(start_node):
    return {
        '/eye': start_node('/eye', program=PROGRAM),
        '/lidar': start_node('/lidar', {'cloud': 'points2'}, program=PROGRAM),
    }


def test_masks_without_detections_go_without_a_class(eye):
    eye.detections = None
    found = eye.ask(eye.listen('detections_3d', Detection3DArray)).detections
    assert {each.results[0].hypothesis.class_id for each in found} == {'unknown'}
    assert {int(each.id) for each in found} == set(THERE)


def test_a_detection_without_a_mask_is_told(eye):
    eye.labels = image_message(
        FRAME.instances * (FRAME.instances != THERE[0]), 'mono8', LEFT_FRAME
    )
    found = eye.ask(eye.listen('detections_3d', Detection3DArray)).detections
    assert {int(each.id) for each in found} == set(THERE[1:])
    status = eye.status('masks', lambda s, _: s.level == DiagnosticStatus.WARN, every=eye.send)
    assert status.message.startswith(f'1 of {len(THERE)} detections have no pixel')


def test_a_cloud_in_another_frame_is_told_with_both(lidar):
    points = measured_points(image_message(FRAME.depth_m, '32FC1', ''), RIG.left)
    lidar.cloud = cloud_of(points + np.array([50, 0, 0], np.float32))
    lidar.cloud.header.frame_id = 'lidar'
    assert lidar.ask(lidar.listen('detections_3d', Detection3DArray)).detections == []
    sentence = f"of depth/camera_info ({LEFT_FRAME!r}, x right, y down, z forward), got 'lidar'"
    status = lidar.status('masks', lambda s, _: sentence in s.message, every=lidar.send)
    assert status.level == DiagnosticStatus.WARN


def test_depth_in_another_unit_is_told(eye):
    eye.cloud = image_message(1000 * FRAME.depth_m, '32FC1', LEFT_FRAME)
    assert eye.ask(eye.listen('detections_3d', Detection3DArray)).detections == []
    sentence = 'no point is from min_depth 0.1 to max_depth 50 m ahead'
    status = eye.status('masks', lambda s, _: sentence in s.message, every=eye.send)
    assert status.level == DiagnosticStatus.WARN


def test_masks_that_no_detection_tells_of_are_told(eye):
    for each in eye.detections.detections:
        each.id = str(int(each.id) + 100)
    found = eye.ask(eye.listen('detections_3d', Detection3DArray)).detections
    assert {each.results[0].hypothesis.class_id for each in found} == {'unknown'}
    status = eye.status('masks', lambda s, _: s.level == DiagnosticStatus.WARN, every=eye.send)
    assert (
        f'{len(THERE)} numbers, such as {THERE[0]}, that no detection tells of' in status.message
    )


def test_depth_of_another_size_than_its_camera_is_told_with_both(eye):
    eye.cloud = image_message(FRAME.depth_m[::2, ::2].copy(), '32FC1', LEFT_FRAME)
    eye.listen('detections_3d', Detection3DArray)
    sentence = 'the depth image is 320x240 but depth/camera_info is of 640x480'
    status = eye.status('output', lambda s, _: sentence in s.message, every=eye.send)
    assert status.level == DiagnosticStatus.ERROR


@pytest.mark.parametrize(
    ('labels', 'encoding', 'sentence'),
    [
        (np.zeros((480, 480), np.uint8), 'mono8', 'instances are 480x480 but the camera is 640'),
        (np.zeros((480, 640, 3), np.uint8), 'rgb8', "of encoding 'rgb8', expected mono8 or 16UC1"),
    ],
)
def test_what_is_no_mask_is_refused_in_one_sentence(eye, labels, encoding, sentence):
    eye.labels = image_message(labels, encoding, LEFT_FRAME)
    eye.listen('detections_3d', Detection3DArray)
    status = eye.status('output', lambda s, _: sentence in s.message, every=eye.send)
    assert status.level == DiagnosticStatus.ERROR
    eye.labels = image_message(FRAME.instances, 'mono8', LEFT_FRAME)
    eye.ask(eye.listen('detections_3d', Detection3DArray))


def test_detections_without_their_masks_are_told(eye):
    eye.listen('detections_3d', Detection3DArray)
    eye.labels = None
    sentence = '/eye/instances/image, which has 1 publisher(s)'
    status = eye.status('sync', lambda s, _: sentence in s.message, every=eye.send)
    assert status.level == DiagnosticStatus.WARN
    assert status.message.startswith('no pair of depth and masks: ')
