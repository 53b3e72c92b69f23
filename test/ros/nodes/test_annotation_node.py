# SPDX-License-Identifier: Apache-2.0
"""The running annotation node: masks of a detector and depth in, boxes and labelled points out."""

import numpy as np
import pytest
from detector import FRAME, PROGRAM, THERE, centre, own_points
from diagnostic_msgs.msg import DiagnosticStatus
from scene import to_ns
from sensor_msgs.msg import PointCloud2
from std_srvs.srv import SetBool, Trigger
from vision_msgs.msg import Detection2DArray, Detection3DArray
from visualization_msgs.msg import MarkerArray

from vizion3d_interfaces.srv import RunObjectMaskAnnotation3D
from vizion3d_ros.ros.testbed.camera_messages import LEFT_FRAME, image_message
from vizion3d_ros.testbed.instances import OBJECTS

pytestmark = pytest.mark.ros

ONE_CM = 0.01
POINT = np.dtype(
    {
        'names': ['xyz', 'instance'],
        'formats': [('<f4', 3), '<u2'],
        'offsets': [0, 16],
        'itemsize': 20,
    }
)


@pytest.fixture(scope='module')
def nodes(start_node):
    return {
        '/eye': start_node('/eye', program=PROGRAM),
        '/lidar': start_node('/lidar', {'cloud': 'points2', 'box': 'oriented'}, program=PROGRAM),
    }


def test_every_object_is_found_with_its_points_class_and_box(eye):
    heard = eye.listen_to({'detections_3d': Detection3DArray, 'labeled_points': PointCloud2})
    markers = eye.listen('markers', MarkerArray)
    answer = eye.ask_all(heard)
    found = {int(each.id): each for each in answer['detections_3d'].detections}

    assert set(found) == set(THERE)
    for number, detection in found.items():
        hypothesis = detection.results[0].hypothesis
        assert (hypothesis.class_id, hypothesis.score) == (OBJECTS[number - 1], 1.0)
        own = own_points(number)
        assert np.abs(centre(detection) - (own.min(0) + own.max(0)) / 2).max() < ONE_CM
    assert {m.header.frame_id for m in answer.values()} == {LEFT_FRAME}
    cloud = answer['labeled_points']
    assert [field.name for field in cloud.fields] == ['x', 'y', 'z', 'rgb', 'instance']
    numbers = np.frombuffer(cloud.data, POINT)['instance']
    for number in THERE:
        own = FRAME.instances.ravel() == number
        assert (numbers[own] == number).mean() >= 0.99
        assert (~own & (numbers == number)).sum() <= 0.01 * own.sum()
    eye.wait_for(lambda: markers, every=eye.send)
    assert len(markers[-1].markers) == 1 + 2 * len(THERE)
    status = eye.status('masks', lambda s, _: s.message != '0 objects', every=eye.send)
    assert (status.level, status.message) == (DiagnosticStatus.OK, f'{len(THERE)} objects')


def test_points_in_any_order_with_nan_among_them_are_as_good(lidar):
    found = lidar.ask(lidar.listen('detections_3d', Detection3DArray)).detections
    assert {int(each.id) for each in found} == set(THERE)
    for each in found:
        own = own_points(int(each.id))
        assert (centre(each) > own.min(0) - ONE_CM).all()
        assert (centre(each) < own.max(0) + ONE_CM).all()


def test_nothing_is_subscribed_to_without_listeners_nor_while_paused(eye):
    heard = eye.listen('detections_3d', Detection3DArray)
    eye.ask(heard)
    eye.ignore(heard)
    lazy = ('depth/image', 'instances/image', 'instances/detections')

    def readers():
        return [eye.publisher(topic).get_subscription_count() for topic in lazy]

    eye.wait_for(lambda: readers() == [0, 0, 0])
    heard = eye.listen('markers', MarkerArray)
    eye.wait_for(lambda: readers() == [1, 1, 1])
    assert eye.call(SetBool, 'set_enabled', SetBool.Request(data=False)).success
    eye.wait_for(lambda: readers() == [0, 0, 0])
    assert eye.call(SetBool, 'set_enabled', SetBool.Request(data=True)).success
    assert eye.call(Trigger, 'reset', Trigger.Request()).success
    eye.wait_for(lambda: heard, every=eye.send)


def test_masks_of_another_size_are_scaled(eye):
    double = np.kron(FRAME.instances, np.ones((2, 2), np.uint8))
    eye.labels = image_message(double.astype(np.uint16), '16UC1', LEFT_FRAME)
    found = eye.ask(eye.listen('detections_3d', Detection3DArray)).detections
    assert {int(each.id) for each in found} == set(THERE)


def test_three_hundred_instances_keep_their_numbers(eye):
    rows, columns = np.indices(FRAME.instances.shape)
    labels = (1 + rows // 32 * 20 + columns // 32).astype(np.uint16)
    eye.labels, eye.detections = image_message(labels, '16UC1', LEFT_FRAME), Detection2DArray()
    found = eye.ask(eye.listen('detections_3d', Detection3DArray)).detections
    assert {int(each.id) for each in found} == set(range(1, 301))


@pytest.mark.parametrize('empty', ['masks', 'depth'])
def test_where_nothing_is_nothing_is_found(eye, empty):
    if empty == 'masks':
        eye.labels = image_message(0 * FRAME.instances, 'mono8', LEFT_FRAME)
        eye.detections = Detection2DArray()
    else:
        eye.cloud = image_message(FRAME.depth_m * np.nan, '32FC1', LEFT_FRAME)
    assert eye.ask(eye.listen('detections_3d', Detection3DArray)).detections == []


def test_a_request_is_answered_as_the_topics_are(eye):
    eye.ask(eye.listen('detections_3d', Detection3DArray))  # it knows the camera
    request = RunObjectMaskAnnotation3D.Request(
        depth_image=eye.cloud,
        instances=eye.labels,
        detections=eye.detections,
        return_annotated_cloud=True,
        return_object_clouds=True,
    )
    answer = eye.call(RunObjectMaskAnnotation3D, 'annotate', request)
    assert answer.success, answer.message
    found = {each.results[0].hypothesis.class_id: each for each in answer.detections.detections}
    assert set(found) == {OBJECTS[number - 1] for number in THERE}
    for name, each in found.items():
        own = own_points(OBJECTS.index(name) + 1)
        assert np.abs(centre(each) - (own.min(0) + own.max(0)) / 2).max() < ONE_CM
    assert answer.labeled_points.width == FRAME.depth_m.size
    assert bytes(answer.annotated_cloud_ply[:3]) == b'ply'
    assert len(answer.object_clouds) == len(found)
    assert to_ns(answer.detections.header.stamp) == to_ns(eye.cloud.header.stamp)
    none = eye.call(RunObjectMaskAnnotation3D, 'annotate', RunObjectMaskAnnotation3D.Request())
    assert not none.success and none.message.startswith('points: expected exactly one of')
