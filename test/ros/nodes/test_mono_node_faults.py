# SPDX-License-Identifier: Apache-2.0
"""What no mono node should have to see: no calibration, a wrong one, broken images, silence."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from harness import values_of
from known_depth_node import RELATIVE_CHECKPOINT
from mono_robot import GREY, KNOWN_NODE, METRIC, depth_error
from scene import each_fault, image_message, info_message, pixels_of
from sensor_msgs.msg import CameraInfo, PointCloud2

pytestmark = pytest.mark.ros

SECOND = 10**9
FAR_FUTURE_NS = (2**31 - 1) * SECOND
OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


@pytest.fixture(scope='module')
def nodes(start_node):
    parameters = {**METRIC, 'timeout': 0.5}
    return {n: start_node(n, parameters, program=KNOWN_NODE) for n in ('/metric', '/no_info')}


def assert_depth(robot, depths, send=None):
    depths.clear()
    assert depth_error(pixels_of(robot.ask(depths, send))) < 1e-5


def test_without_camera_info_depth_flows_and_points_come_with_it(meet):
    node, robot = meet('/no_info')
    relatives = robot.listen('relative_depth/image')
    with robot.parameters(depth_anything_v2__model_backend=RELATIVE_CHECKPOINT):
        robot.ask(relatives, robot.send_image)
    depths, clouds = robot.listen('depth/image'), robot.listen('points2', PointCloud2)
    infos = robot.listen('depth/camera_info', CameraInfo)
    assert_depth(robot, depths, robot.send_image)

    status = robot.status('calibration', lambda s, _: s.level == WARN, every=robot.send_image)
    for words in ('/no_info/camera_info', 'no points2 and depth/camera_info'):
        assert words in status.message
    with robot.parameters(rectify=True):
        depths.clear()
        status = robot.status(
            'calibration', lambda s, _: 'no output' in s.message, every=robot.send_image
        )
        assert status.level == WARN
    assert len(node.lines('[WARN]', 'calibration', '/no_info/camera_info')) == 2
    assert not clouds and not infos
    robot.ask(clouds)
    robot.ask(infos)
    assert robot.status('calibration', every=robot.send).level == OK


def test_an_uncalibrated_camera_gives_depth_without_points(meet):
    node, robot = meet('/metric')
    depths, clouds = robot.listen('depth/image'), robot.listen('points2', PointCloud2)

    def send():
        robot.send_info(CameraInfo(width=320, height=240))
        return robot.send_image()

    status = robot.status('calibration', lambda s, _: s.level == WARN, every=send)
    for words in ('uncalibrated', 'P[0] = 0', 'no points2'):
        assert words in status.message
    clouds.clear()
    for _ in range(3):
        assert_depth(robot, depths, send)
    assert not clouds
    node.wait_for_line('[WARN]', 'calibrate the camera')
    with robot.parameters(rectify=True):
        robot.status('calibration', lambda s, _: s.level == ERROR, every=send)
        node.wait_for_line('[ERROR]', 'uncalibrated', 'until then no output')
    robot.ask(clouds)


def test_a_calibration_of_another_size_loses_frames_with_an_error(meet):
    node, robot = meet('/no_info')
    depths = robot.listen('depth/image')

    def send():
        robot.send_info(info_message(0.0, 640, 480))
        return robot.send_image()

    status = robot.status('output', lambda s, _: s.level == ERROR, every=send)
    assert '320x240' in status.message and '640x480' in status.message
    node.wait_for_line('[ERROR]', 'frame lost', '320x240', '640x480', 'camera_info')
    assert len(node.lines('frame lost', '640x480')) == 1
    assert_depth(robot, depths)
    assert robot.status('output', every=robot.send).level == OK


@each_fault
def test_a_bad_image_is_reported_once_and_the_next_good_one_answered(meet, spoil, words):
    node, robot = meet('/metric')
    depths = robot.listen('depth/image')
    assert_depth(robot, depths)
    failed = values_of(robot.status('output'))['failed']

    def send_bad():
        message = image_message(GREY, robot.now_ns())
        spoil(message)
        robot.publisher('image_rect').publish(message)

    status = robot.status('output', lambda _, v: v['failed'] >= failed + 3, every=send_bad)
    assert status.level == ERROR
    assert all(word in status.message for word in words), status.message
    assert len(node.lines('[ERROR]', 'frame lost', *words)) == 1, node.output
    assert_depth(robot, depths)
    assert 'Traceback' not in node.output


def test_a_camera_that_dies_is_missed_and_welcome_again(meet):
    node, robot = meet('/metric')
    depths = robot.listen('depth/image')
    assert_depth(robot, depths)

    status = robot.status('input', lambda s, _: s.level == WARN)
    for words in ('no image: the last image came', 's ago', '/metric/image_rect', 'reliable'):
        assert words in status.message
    node.wait_for_line('[WARN]', 'input: no image', '/metric/image_rect')
    assert_depth(robot, depths)
    assert robot.status('input', every=robot.send).message == 'receiving'


def test_a_bag_that_starts_again_keeps_flowing(meet):
    node, robot = meet('/metric')
    depths = robot.listen('depth/image')
    for offset in (0, -10, -20, -5, 7200, -7200):
        robot.clock_offset_ns = offset * SECOND
        depths.clear()
        robot.ask(depths, timeout=3.0)
    assert len(node.lines('[INFO]', 'time went back by')) >= 2


def test_stamps_that_make_no_sense_stop_nothing_and_are_named(meet):
    _, robot = meet('/metric')
    depths = robot.listen('depth/image')
    for stamp_ns in (0, FAR_FUTURE_NS):
        robot.send_image(stamp_ns=stamp_ns)
        depths.clear()
        robot.ask(depths, timeout=3.0)
    words = '/metric/image_rect', 'carry the stamp 0', 'header.stamp'
    robot.status(
        'input',
        lambda status, _: all(word in status.message for word in words),
        every=lambda: robot.send_image(stamp_ns=0),
    )
    depths.clear()
    robot.ask(depths)


def test_stamps_in_whole_seconds_are_named_in_report_and_log(meet):
    node, robot = meet('/metric')
    robot.listen('depth/image')
    words = '/metric/image_rect carry stamps in whole seconds', 'header.stamp.nanosec'
    robot.status(
        'input',
        lambda status, _: all(word in status.message for word in words),
        every=lambda: robot.send_image(stamp_ns=robot.now_ns() // SECOND * SECOND),
    )
    node.wait_for_line('[WARN]', *words)


def test_a_lens_nobody_can_undo_is_named(meet):
    node, robot = meet('/metric')
    depths = robot.listen('depth/image')
    strange, short = info_message(), info_message()
    strange.distortion_model, strange.d = 'cylinder', [0.1]
    short.d = [0.1, np.nan, 0.0, 0.0, 0.0]
    with robot.parameters(rectify=True):
        for info, words in (
            (strange, ("'cylinder'", 'plumb_bob', 'equidistant')),
            (short, ('nan',)),
        ):

            def send(info=info):
                robot.send_info(info)
                return robot.send_image()

            robot.status('output', lambda s, _: s.level == ERROR, every=send)
            node.wait_for_line('[ERROR]', 'frame lost', *words)
            assert_depth(robot, depths)
    assert 'Traceback' not in node.output
