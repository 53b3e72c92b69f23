# SPDX-License-Identifier: Apache-2.0
"""No listener, no work: the node's inputs follow those who listen, and diagnostics say so."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import values_of
from scene import DEPTH_M, FRAME_ID, TX, info_message, median_error, pixels_of
from sensor_msgs.msg import PointCloud2

pytestmark = pytest.mark.ros

OPEN, CLOSED = [1, 1], [0, 0]


def paired(robot):
    return values_of(robot.status('sync'))['left paired']


def test_inputs_open_and_close_with_the_listeners_again_and_again(robot):
    robot.status('sync')  # the two know each other, so a subscription would be seen
    assert robot.input_readers() == CLOSED
    for _ in range(3):
        depths = robot.listen('depth/image')
        robot.wait_for_readers(1, 2.0)
        robot.ask(depths)
        robot.ignore(depths)
        robot.wait_for_readers(0, 2.0)


def test_a_calibration_that_comes_all_the_time_is_let_go_and_looked_at_before_the_next_depth(
    robot,
):
    def readers():
        topics = 'left/camera_info', 'right/camera_info'
        return [robot.publisher(topic).get_subscription_count() for topic in topics]

    robot.wait_for(lambda: readers() == CLOSED, 5.0, 'let go', every=robot.send_infos)
    depths = robot.listen('depth/image')
    robot.wait_for(lambda: readers() == OPEN, 5.0, 'looked at again')
    for _ in range(5):
        robot.send_images()  # by the calibration of before these would be half as far
    robot.send_infos(right=info_message(2 * TX))
    depth = robot.ask(depths, robot.send_images)
    assert median_error(pixels_of(depth), 2 * DEPTH_M) < 0.01
    assert all(median_error(pixels_of(each), 2 * DEPTH_M) < 0.01 for each in depths)


def test_the_last_listener_of_several_closes_the_inputs(robot):
    depths, clouds = robot.listen('depth/image'), robot.listen('points2', PointCloud2)
    robot.ask(depths)
    robot.ask(clouds)
    robot.ignore(depths)
    robot.ask(clouds)
    assert robot.input_readers() == OPEN
    robot.ignore(clouds)
    robot.wait_for_readers(0, 2.0)


def test_only_outputs_with_listeners_are_made(robot):
    def published():
        values = values_of(robot.status('output'))
        return {k: v for k, v in values.items() if k.startswith('published ')}

    before = published()
    heard = robot.listen('confidence/image')
    for _ in range(3):
        robot.ask(heard)
        heard.clear()
    robot.status('output', lambda _, v: v['published confidence/image'] > 2)
    after = published()

    changed = {topic for topic in after if after[topic] != before[topic]}
    assert changed == {'published confidence/image'}


def test_an_eager_node_works_without_listeners(robot):
    with robot.parameters(lazy=False):
        robot.wait_for_readers(1, 2.0)
        before = values_of(robot.status('output'))['processed']
        robot.status('output', lambda _, v: v['processed'] > before, every=robot.send_pair)
    robot.wait_for_readers(0, 2.0)


def test_diagnostics_name_the_node_the_camera_and_idleness(robot):
    robot.status('sync', lambda status, _: status.hardware_id != 'none', every=robot.send_infos)
    arrays = robot.listen('/diagnostics', DiagnosticArray)
    array = robot.wait_for(lambda: arrays and arrays[-1], what='diagnostics')

    assert {s.name for s in array.status} == {
        'stereo_node: sync',
        'stereo_node: calibration',
        'stereo_node: pictures',
        'stereo_node: output',
        'stereo_node: backend',
        'stereo_node: clock',
        'stereo_node: lifecycle',
        'stereo_node: requests',
    }
    assert {s.hardware_id for s in array.status} == {FRAME_ID}
    assert all(s.message for s in array.status)
    assert array.header.stamp.sec > 0
    idle = robot.status('sync')
    assert (idle.level, idle.message) == (DiagnosticStatus.OK, 'idle: no subscribers')


def test_diagnostics_of_a_working_node_are_all_ok_and_count(robot):
    depths = robot.listen('depth/image')
    robot.ask(depths)
    for task in ('sync', 'calibration', 'output'):
        assert robot.status(task, every=robot.send_pair).level == DiagnosticStatus.OK
    assert robot.status('sync', every=robot.send_pair).message == 'pairing'
    values = values_of(robot.status('output', every=robot.send_pair))
    assert values['processed'] > 0 and values['rate_hz'] > 0 and values['match_ms p50'] > 0
    assert values['failed'] == 0
    backend = robot.status('backend', every=robot.send_pair)
    assert 'sgbm' in backend.message and values_of(backend)['device'] in ('cpu', 'cuda')
