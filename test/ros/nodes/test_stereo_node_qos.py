# SPDX-License-Identifier: Apache-2.0
"""Whoever listens or publishes with whatever reliability is heard; and both can be overridden."""

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import (
    DurabilityPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_profile_sensor_data,
)
from scene import DEPTH_M, OUTPUTS, TX, info_message, median_error, pixels_of
from sensor_msgs.msg import CameraInfo

pytestmark = pytest.mark.ros

RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
READERS = {
    'reliable': [RELIABLE],
    'best effort': [qos_profile_sensor_data],
    'both': [RELIABLE, qos_profile_sensor_data],
}


@pytest.fixture(scope='module')
def nodes(start_node):
    overrides = {
        'depth/image.publisher.reliability': 'best_effort',
        'depth/image.publisher.depth': '7',
        'left/image_rect.subscription.reliability': 'reliable',
    }
    strict = {f'qos_overrides./strict/{name}': value for name, value in overrides.items()}
    small = {'points.decimation': 4}  # clouds that fit any transport
    return {
        '': start_node('', small),
        '/strict': start_node('/strict', strict),
        '/kept': start_node('/kept', small),
    }


@pytest.fixture
def overridden(nodes):
    return nodes['/strict']


def reliability(endpoints, name='stereo_node'):
    return {e.qos_profile.reliability for e in endpoints if e.node_name == name}


@pytest.mark.parametrize('readers', READERS)
def test_every_output_reaches_every_kind_of_reader(nodes, make_robot, readers):
    robot = make_robot()
    heard = {
        (topic, number): robot.listen(topic, kind, qos)
        for topic, kind in OUTPUTS.items()
        for number, qos in enumerate(READERS[readers])
    }

    def all_heard():
        return all(heard.values())

    robot.wait_for(
        all_heard, what=f'{[k for k, m in heard.items() if not m]}', every=robot.send_pair
    )


@pytest.mark.parametrize('cameras', [RELIABLE, qos_profile_sensor_data], ids=['reliable', 'best'])
def test_cameras_of_either_reliability_are_heard(nodes, make_robot, cameras):
    robot = make_robot(name=f'robot_{cameras.reliability.name.lower()}', image_qos=cameras)
    depth = robot.ask(robot.listen('depth/image'))
    assert median_error(pixels_of(depth), DEPTH_M) < 0.01


def test_an_override_changes_that_output_alone(overridden, make_robot):
    robot = make_robot('/strict')
    depths = robot.listen('depth/image', qos=qos_profile_sensor_data)
    robot.ask(depths)

    writers = robot.node.get_publishers_info_by_topic('/strict/depth/image')
    assert reliability(writers) == {ReliabilityPolicy.BEST_EFFORT}
    writers = robot.node.get_publishers_info_by_topic('/strict/points2')
    assert reliability(writers) == {ReliabilityPolicy.RELIABLE}


def test_an_overridden_input_stays_overridden_when_it_opens_again(overridden, make_robot):
    robot = make_robot('/strict')
    for _ in range(3):
        depths = robot.listen('depth/image', qos=qos_profile_sensor_data)
        robot.ask(depths)
        readers = robot.node.get_subscriptions_info_by_topic('/strict/left/image_rect')
        assert reliability(readers) == {ReliabilityPolicy.RELIABLE}
        readers = robot.node.get_subscriptions_info_by_topic('/strict/right/image_rect')
        assert reliability(readers) == {ReliabilityPolicy.BEST_EFFORT}
        robot.ignore(depths)
        robot.wait_for_readers(0, 5.0)
    assert overridden.alive
    assert 'Traceback' not in overridden.output


def test_a_camera_that_cannot_be_heard_is_named(overridden, make_robot):
    robot = make_robot('/strict', 'deaf_robot', image_qos=qos_profile_sensor_data)
    robot.listen('depth/image', qos=qos_profile_sensor_data)
    line = overridden.wait_for_line('ERROR', '/strict/left/image_rect', 'deaf_robot', 'reliable')
    assert 'set qos_overrides' in line
    robot.status('sync', lambda status, _: status.level == DiagnosticStatus.ERROR)


def test_a_calibration_kept_by_a_best_effort_writer_is_not_asked_for_in_vain(nodes, make_robot):
    robot = make_robot('/kept')
    kept = QoSProfile(
        depth=1,
        reliability=ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )
    writers = {}
    for side, tx in (('left', 0.0), ('right', TX)):
        robot.withdraw(f'{side}/camera_info')
        writer = robot.node.create_publisher(CameraInfo, f'{side}/camera_info', kept)
        writers[writer] = info_message(tx)
    depths = robot.listen('depth/image')

    def send():
        for writer, info in writers.items():
            writer.publish(info)
        return robot.send_images()

    robot.ask(depths, send)
    robot.spin_for(1.5, every=send)  # it looks around every half second
    readers = robot.node.get_subscriptions_info_by_topic('/kept/left/camera_info')
    assert reliability(readers) == {ReliabilityPolicy.BEST_EFFORT}
    for writer in writers:
        robot.node.destroy_publisher(writer)
