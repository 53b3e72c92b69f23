# SPDX-License-Identifier: Apache-2.0
"""Calibrations that are wrong, live: what still comes out, what is said, and the recovery."""

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from harness import values_of
from scene import BASELINE_M, DEPTH_M, TX, info_message, median_error, pixels_of
from sensor_msgs.msg import CameraInfo
from stereo_msgs.msg import DisparityImage

pytestmark = pytest.mark.ros


def sender(robot, left=None, right=None):
    """What publishes these calibrations and a pair."""

    def send():
        robot.send_infos(left, right)
        return robot.send_images()

    return send


def assert_nothing_comes(robot, heard, send, level):
    """Pairs arrive, the calibration's level is the given one, and nothing is published."""
    robot.status('calibration', lambda status, _: status.level == level, every=send)
    before = values_of(robot.status('sync', every=send))['left paired']
    for messages in heard:
        messages.clear()
    robot.status('sync', lambda _, v: v['left paired'] >= before + 3, every=send)
    assert not any(heard)


def assert_depth(robot, depths):
    depths.clear()
    assert median_error(pixels_of(robot.ask(depths)), DEPTH_M) < 0.01
    status = robot.status('calibration', every=robot.send_pair)
    assert (status.level, status.message) == (DiagnosticStatus.OK, 'calibrated')


def assert_disparity_alone(robot, depths, send):
    """Disparity without a baseline flows, and no depth does."""
    disparities = robot.listen('disparity', DisparityImage)
    robot.status('calibration', lambda s, _: s.level == DiagnosticStatus.WARN, every=send)
    robot.ask(disparities, send)
    depths.clear()
    for _ in range(2):  # the second answer begins when all of the first is published
        disparities.clear()
        answer = robot.ask(disparities, send)
    assert answer.t == 0.0
    assert not depths


def test_without_a_baseline_disparity_flows_and_the_cure_is_named(robot, node):
    depths = robot.listen('depth/image')
    assert_disparity_alone(robot, depths, sender(robot, right=info_message(0.0)))

    warning = node.wait_for_line('[WARN]', 'P[3] = 0')
    assert 'baseline_m' in warning and 'right camera_info' in warning
    assert len(node.lines('[WARN]', 'calibration: right camera_info has P[3] = 0')) <= 2
    assert_depth(robot, depths)


def test_swapped_cameras_give_no_depth_and_say_so(robot, node):
    depths = robot.listen('depth/image')
    assert_disparity_alone(robot, depths, sender(robot, right=info_message(-TX)))

    assert 'swapped' in node.wait_for_line('[WARN]', 'expected a negative number')
    assert_depth(robot, depths)


def of_p_alone(tx=0.0):
    """What drivers of rectified cameras send that know nothing of the raw ones."""
    info = info_message(tx)
    info.distortion_model, info.d = '', []
    info.k = info.r = [0.0] * 9
    return info


def test_p_alone_is_enough(robot, node):
    depth = robot.ask(robot.listen('depth/image'), sender(robot, of_p_alone(), of_p_alone(TX)))
    assert median_error(pixels_of(depth), DEPTH_M) < 0.01
    robot.status('calibration', lambda status, _: status.level == DiagnosticStatus.OK)


@pytest.mark.parametrize('factor', [1000.0, 100.0, 0.001])
def test_a_baseline_in_another_unit_gives_no_depth_and_is_guessed(robot, node, factor):
    depths = robot.listen('depth/image')
    assert_disparity_alone(robot, depths, sender(robot, right=info_message(factor * TX)))
    line = node.wait_for_line('[WARN]', f'a baseline of {factor * BASELINE_M:g} m')
    assert '(0.1 m)' in line
    assert_depth(robot, depths)


def test_depths_beyond_this_rig_are_named(robot, node):
    robot.listen('depth/image')
    with robot.parameters(min_depth=300.0, max_depth=900.0):
        robot.status(
            'calibration',
            lambda status, _: 'too few to tell depths' in status.message,
            every=robot.send_pair,
        )
        node.wait_for_line('[WARN]', 'min_depth 300 m to max_depth 900 m')
    robot.status('calibration', lambda s, _: s.message == 'calibrated', every=robot.send_pair)


def test_the_baseline_parameter_cures_a_missing_baseline(robot, node):
    depths = robot.listen('depth/image')
    send = sender(robot, right=info_message(0.0))
    with robot.parameters(baseline_m=2 * BASELINE_M):
        depth = robot.ask(depths, send)
        assert median_error(pixels_of(depth), 2 * DEPTH_M) < 0.01
        node.wait_for_line('[INFO]', 'baseline is 0.2 m (parameter baseline_m)')
    assert_depth(robot, depths)


def test_an_uncalibrated_camera_stops_everything_with_an_error(robot, node):
    heard = robot.listen('disparity', DisparityImage), robot.listen('depth/image')
    heard = (*heard, robot.listen('depth/camera_info', CameraInfo))
    send = sender(robot, CameraInfo(width=320, height=240))
    assert_nothing_comes(robot, heard, send, DiagnosticStatus.ERROR)

    assert 'calibrate the camera' in node.wait_for_line('[ERROR]', 'left', 'uncalibrated')
    assert_depth(robot, heard[1])


def test_cameras_of_different_sizes_stop_everything_with_an_error(robot, node):
    heard = robot.listen('disparity', DisparityImage), robot.listen('depth/image')
    send = sender(robot, right=info_message(TX, width=640, height=480))
    assert_nothing_comes(robot, heard, send, DiagnosticStatus.ERROR)

    assert 'left 320, right 640' in node.wait_for_line('[ERROR]', 'image width differs')
    node.wait_for_line('[ERROR]', 'image height differs')
    assert_depth(robot, heard[1])


def test_a_calibration_of_another_size_than_the_images_loses_frames_with_an_error(robot, node):
    depths = robot.listen('depth/image')
    send = sender(robot, info_message(0.0, 640, 480), info_message(TX, 640, 480))
    robot.status('output', lambda status, v: v['failed'] > 0, every=send)

    line = node.wait_for_line('[ERROR]', 'frame lost', '320x240', '640x480')
    assert 'camera_info' in line
    assert len(node.lines('frame lost', '320x240')) == 1
    assert_depth(robot, depths)
    status = robot.status('output', every=robot.send_pair)
    assert status.level == DiagnosticStatus.OK
