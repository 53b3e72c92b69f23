# SPDX-License-Identifier: Apache-2.0
"""The recorder as a real process, fed over real middleware by publishers of this process."""

import json
import re
import signal
import time

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.context import Context  # noqa: E402
from rclpy.node import Node  # noqa: E402
from recorder_feed import (  # noqa: E402
    BASELINE_M,
    DEADLINE_S,
    DEPTH_M,
    DOFFS,
    FOCAL_PX,
    FRAMES,
    MONO,
    STEREO,
    advertise,
    end_of,
    play,
    start_recorder,
)
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402

from vizion3d_ros.report.montage import DISAGREES  # noqa: E402
from vizion3d_ros.ros.testbed import recorder as recorder_module  # noqa: E402

pytestmark = pytest.mark.ros


@pytest.fixture
def domain():
    from harness import free_domain

    return free_domain()


@pytest.fixture
def node(domain):
    context = Context()
    rclpy.init(context=context, domain_id=domain)
    node = Node('feeder', context=context)
    yield node
    node.destroy_node()
    context.shutdown()


def test_a_run_is_reported_with_its_loss(domain, node, tmp_path):
    process = start_recorder(domain, tmp_path, frames=FRAMES)
    publishers = advertise(node, process, STEREO)
    play(node, publishers, skip={('depth/image', 3)})
    code, output = end_of(process)
    assert code == 0, output
    report = json.loads((tmp_path / 'report.json').read_text())
    assert report['frames_sent'] == FRAMES
    assert report['frames_answered'] == FRAMES - 1
    assert report['messages_lost'] == 1 and report['lost']['depth/image'] == 1
    assert report['valid_share'] == 0.75
    assert report['depth_error_median'] == pytest.approx(0.1, rel=1e-5)
    assert 0 < report['latency_ms_p50'] <= report['latency_ms_p95'] < 5000
    assert 'depth error median' in output


def test_pictures_cloud_and_raw_disparity_are_written(domain, node, tmp_path):
    (tmp_path / 'cloud.ply').write_text('of an earlier run')
    process = start_recorder(domain, tmp_path, frames=FRAMES)
    play(node, advertise(node, process, STEREO))
    code, output = end_of(process)
    assert code == 0, output
    raw = np.load(tmp_path / 'disparity.npy')
    expected = FOCAL_PX * BASELINE_M / DEPTH_M - DOFFS
    np.testing.assert_allclose(raw, expected, rtol=1e-5)
    assert cv2.imread(str(tmp_path / 'montage.png')).shape[1] > 1000
    open3d = pytest.importorskip('open3d', exc_type=ImportError)
    points = open3d.io.read_point_cloud(str(tmp_path / 'cloud.ply'))
    assert np.asarray(points.points).tolist() == [[0.5, -0.25, 2.0], [1.0, 1.0, 3.0]]
    colours = np.rint(np.asarray(points.colors) * 255)
    assert colours.tolist() == [[255, 128, 0], [0, 0, 255]]


def test_without_depth_the_disparity_is_the_answer(domain, node, tmp_path):
    process = start_recorder(domain, tmp_path, frames=FRAMES)
    play(node, advertise(node, process, ['left/image_rect', 'disparity']))
    code, output = end_of(process)
    assert code == 0, output
    report = json.loads((tmp_path / 'report.json').read_text())
    assert report['frames_answered'] == FRAMES
    assert report['valid_share'] == 0.75 and report['depth_error_median'] is None


def test_a_relative_answer_is_reported_with_the_remark_on_it(domain, node, tmp_path):
    process = start_recorder(domain, tmp_path, frames=FRAMES, remark="'random weights'")
    play(node, advertise(node, process, ['left/image_rect', 'relative_depth/image']))
    code, output = end_of(process)
    assert code == 0, output
    report = json.loads((tmp_path / 'report.json').read_text())
    assert (report['answer'], report['remark']) == ('relative_depth/image', 'random weights')
    assert report['frames_answered'] == FRAMES and report['latency_ms_p50'] > 0
    assert report['valid_share'] is None and 'scale_fit' not in report


def test_metres_of_a_mono_node_are_reported_with_the_fit(domain, node, tmp_path):
    forward = '[0.0, 0.0, 0.0, 0.5, -0.5, 0.5, 0.5]'
    process = start_recorder(domain, tmp_path, frames=FRAMES, sparse_transform=forward)
    play(node, advertise(node, process, MONO))
    code, output = end_of(process)
    assert code == 0, output
    report = json.loads((tmp_path / 'report.json').read_text())
    assert report['answer'] == 'depth/image'
    assert report['depth_error_median'] == pytest.approx(0.1, rel=1e-5)
    fit = {'points': 2.0, 'inliers': 1.0, 'cells': 1.0, 'residual': 0.0031}
    assert report['scale_fit'] == fit
    assert 'of 2, with scale and shift' in output
    picture = cv2.imread(str(tmp_path / 'montage.png'))
    assert (picture == DISAGREES).all(axis=2).any()  # the point that is twice too far


def test_silence_is_a_failure_with_a_reason(domain, tmp_path):
    code, output = end_of(start_recorder(domain, tmp_path, timeout=1.0))
    assert code == 1
    assert 'nothing came on left/image_rect' in output and 'in 1 s' in output
    assert json.loads((tmp_path / 'report.json').read_text())['frames_answered'] == 0


def test_images_without_answers_point_at_the_node(domain, node, tmp_path):
    process = start_recorder(domain, tmp_path, frames=FRAMES)
    play(node, advertise(node, process, ['left/image_rect']))
    code, output = end_of(process)
    assert code == 1
    assert f'{FRAMES} images came' in output and 'is the stereo or mono node running' in output


def test_the_run_ends_with_its_source(domain, node, tmp_path):
    process = start_recorder(domain, tmp_path)
    publishers = advertise(node, process, ['left/image_rect', 'disparity'])
    play(node, publishers)
    node.destroy_publisher(publishers['left/image_rect'])
    code, output = end_of(process)
    assert code == 0, output


def test_an_interrupt_ends_the_run_with_its_results(domain, node, tmp_path):
    process = start_recorder(domain, tmp_path)
    play(node, advertise(node, process, ['left/image_rect', 'depth/image']))
    process.send_signal(signal.SIGINT)
    code, output = end_of(process)
    assert code == 0, output
    assert json.loads((tmp_path / 'report.json').read_text())['frames_answered'] > 0


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_anything_came_is_a_failure_with_a_reason(domain, tmp_path, number):
    process = start_recorder(domain, tmp_path / 'new')
    deadline = time.monotonic() + DEADLINE_S
    while not (tmp_path / 'new').exists():  # a moment before it subscribes
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    code, output = end_of(process)
    assert code == 1
    assert output.splitlines()[-1].startswith('recorder: ') and 'Traceback' not in output


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'timeout': 'long'}, ('timeout', 'a number such as 10.0', 'long')),
        ({'timeout': 0.0}, ('timeout', '0.1')),
        ({'frames': -1}, ('frames', '-1')),
    ],
)
def test_a_bad_parameter_is_one_line_and_exit_code_1(domain, tmp_path, parameters, words):
    code, output = end_of(start_recorder(domain, tmp_path, **parameters))
    assert code == 1
    assert 'Traceback' not in output and len(output.splitlines()) == 1
    assert all(word in output for word in words), output


def test_a_folder_that_cannot_be_made_is_one_line_and_exit_code_1(domain, tmp_path):
    (tmp_path / 'file').touch()
    code, output = end_of(start_recorder(domain, tmp_path / 'file' / 'out'))
    assert code == 1
    assert 'Traceback' not in output and len(output.splitlines()) == 1
    assert f'{tmp_path}/file/out: cannot be written: Not a directory' in output


def test_a_folder_that_goes_away_is_made_again(domain, node, tmp_path):
    out = tmp_path / 'out'
    process = start_recorder(domain, out)
    play(node, advertise(node, process, ['left/image_rect', 'depth/image']))
    out.rmdir()
    process.send_signal(signal.SIGINT)
    code, output = end_of(process)
    assert code == 0, output
    assert (out / 'report.json').exists() and (out / 'montage.png').exists()


def test_a_folder_that_cannot_be_written_to_any_more_does_not_cost_the_figures(
    domain, node, tmp_path
):
    out = tmp_path / 'out'
    process = start_recorder(domain, out)
    play(node, advertise(node, process, ['left/image_rect', 'depth/image']))
    out.rmdir()
    out.touch()
    process.send_signal(signal.SIGINT)
    code, output = end_of(process)
    assert code == 1
    assert 'Traceback' not in output
    assert f'{out}: cannot be written: File exists' in output
    assert re.search(r'frames out +\d', output), output


def test_it_listens_once_there_is_a_source_with_matched_events_or_without(
    domain, tmp_path, monkeypatch
):
    real, accepted = recorder_module.SubscriptionEventCallbacks, []

    def without_matched(*, message_lost):  # as in Humble: another name is a TypeError
        accepted.append(message_lost)
        return real(message_lost=message_lost)

    monkeypatch.setattr(recorder_module, 'SubscriptionEventCallbacks', without_matched)
    rclpy.init(domain_id=domain, args=['--ros-args', '-p', f'out:={tmp_path}'])
    try:
        node = recorder_module.Recorder()
        rclpy.spin_once(node)
        assert not list(node.subscriptions), 'the node would miss images that nobody sends yet'
        node.create_publisher(Image, 'left/image_rect', 10)
        rclpy.spin_once(node)
        assert not list(node.subscriptions), 'a source that renders yet'
        node.create_publisher(CameraInfo, 'left/camera_info', 10)
        alarm = time.monotonic() + DEADLINE_S
        while not accepted and time.monotonic() < alarm:
            rclpy.spin_once(node)
        heard = {*recorder_module.TOPICS, 'points2'}
        assert len(accepted) == len(heard)
        heard |= {'sparse_depth/points', 'diagnostics'}
        assert {s.topic_name.lstrip('/') for s in node.subscriptions} >= heard
        node.destroy_node()
    finally:
        rclpy.try_shutdown()
