# SPDX-License-Identifier: Apache-2.0
"""The recorder as a real process, fed over real middleware by publishers of this process."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from array import array

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from rclpy.context import Context  # noqa: E402
from rclpy.node import Node  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField  # noqa: E402
from stereo_msgs.msg import DisparityImage  # noqa: E402

from vizion3d_ros.ros import recorder as recorder_module  # noqa: E402

pytestmark = pytest.mark.ros

HEIGHT, WIDTH, FRAMES = 60, 80, 6
FOCAL_PX, BASELINE_M, DOFFS = 100.0, 0.2, 6.0
DEADLINE_S = 30.0
IMAGES = ('left/image_rect', 'depth/image', 'confidence/image', 'ground_truth/depth')
KINDS = {
    **dict.fromkeys(IMAGES, Image),
    'disparity': DisparityImage,
    'points2': PointCloud2,
    **dict.fromkeys(('left/camera_info', 'right/camera_info'), CameraInfo),
}
TRUTH_M = np.full((HEIGHT, WIDTH), 2.0, np.float32)
DEPTH_M = TRUTH_M * np.float32(1.1)
DEPTH_M[:15] = np.nan  # a quarter of the rows


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


def start_recorder(domain, out, **parameters):
    command = [
        sys.executable,
        '-m',
        'vizion3d_ros.ros.recorder',
        '--ros-args',
        '-p',
        f'out:={out}',
    ]
    for name, value in parameters.items():
        command += ['-p', f'{name}:={value}']
    env = {**os.environ, 'ROS_DOMAIN_ID': str(domain), 'PYTHONUNBUFFERED': '1'}
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def end_of(process):
    """Give the exit code and the rest of the output."""
    try:
        output, _ = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
    return process.returncode, output


def advertise(node, process, topics):
    """Create publishers and wait until the recorder says it found each of them."""
    publishers = {topic: node.create_publisher(KINDS[topic], topic, 10) for topic in topics}
    unheard = {topic for topic in topics if not topic.endswith('camera_info')}
    alarm = threading.Timer(DEADLINE_S, process.kill)
    alarm.start()
    while unheard:
        line = process.stdout.readline()
        assert line, f'the recorder ended without finding {unheard}'
        unheard -= {topic for topic in unheard if f' {topic}: 1 publisher' in line}
    # Found is not yet found in return, and a writer that knows no reader sends nothing.
    while not all(publisher.get_subscription_count() for publisher in publishers.values()):
        assert alarm.is_alive(), 'a publisher does not see the recorder'
        time.sleep(0.01)
    alarm.cancel()
    return publishers


def image(pixels, encoding):
    height, width = pixels.shape[:2]
    padded = np.pad(pixels.reshape(height, -1).view(np.uint8), ((0, 0), (0, 8)))
    message = Image(height=height, width=width, encoding=encoding, step=padded.shape[1])
    message.data = array('B', padded.tobytes())
    return message


def camera_info(cx, tx):
    p = [FOCAL_PX, 0.0, cx, tx, 0.0, FOCAL_PX, 30.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    k = [FOCAL_PX, 0.0, cx, 0.0, FOCAL_PX, 30.0, 0.0, 0.0, 1.0]
    return CameraInfo(width=WIDTH, height=HEIGHT, k=k, p=p)


def disparity():
    corrected = np.nan_to_num(FOCAL_PX * BASELINE_M / DEPTH_M).astype(np.float32)
    return DisparityImage(image=image(corrected, '32FC1'), min_disparity=1.0, max_disparity=60.0)


def cloud():
    names = ('x', 'y', 'z', 'rgb')
    fields = [PointField(name=n, offset=4 * i, datatype=7, count=1) for i, n in enumerate(names)]
    points = np.array([[0.5, -0.25, 2.0, 0.0], [np.nan] * 4, [1.0, 1.0, 3.0, 0.0]], np.float32)
    points[:, 3] = np.array([0xFF8000, 0, 0x0000FF], np.uint32).view(np.float32)
    message = PointCloud2(height=1, width=3, point_step=16, row_step=48, fields=fields)
    message.data = array('B', points.tobytes())
    return message


def messages():
    return {
        'left/camera_info': camera_info(40.0, 0.0),
        'right/camera_info': camera_info(40.0 + DOFFS, -FOCAL_PX * BASELINE_M),
        'left/image_rect': image(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), 'rgb8'),
        'ground_truth/depth': image(TRUTH_M, '32FC1'),
        'disparity': disparity(),
        'confidence/image': image(np.ones_like(TRUTH_M), '32FC1'),
        'points2': cloud(),
        'depth/image': image(DEPTH_M, '32FC1'),
    }


def play(node, publishers, skip=()):
    """Publish FRAMES frames of what is advertised, but not the (topic, index) in skip."""
    content = messages()
    for index in range(FRAMES):
        stamp = node.get_clock().now().to_msg()
        for topic, message in content.items():
            if topic in publishers and (topic, index) not in skip:
                message.header.stamp = stamp
                publishers[topic].publish(message)
        time.sleep(0.05)  # a camera's period, nothing waits for it


def test_a_run_is_reported_with_its_loss(domain, node, tmp_path):
    process = start_recorder(domain, tmp_path, frames=FRAMES)
    publishers = advertise(node, process, KINDS)
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
    play(node, advertise(node, process, KINDS))
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


def test_silence_is_a_failure_with_a_reason(domain, tmp_path):
    code, output = end_of(start_recorder(domain, tmp_path, timeout=1.0))
    assert code == 1
    assert 'nothing came on left/image_rect' in output and 'in 1 s' in output
    assert json.loads((tmp_path / 'report.json').read_text())['frames_answered'] == 0


def test_images_without_answers_point_at_the_stereo_node(domain, node, tmp_path):
    process = start_recorder(domain, tmp_path, frames=FRAMES)
    play(node, advertise(node, process, ['left/image_rect']))
    code, output = end_of(process)
    assert code == 1
    assert f'{FRAMES} images came' in output and 'is the stereo node running' in output


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
        ({'timeout': 5}, ('timeout', 'INTEGER', 'DOUBLE')),  # 5 is an integer, 5.0 a double
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
    assert f'cannot be written to {tmp_path}/file/out: Not a directory' in output


def test_a_folder_that_goes_away_is_an_error_with_a_reason(domain, node, tmp_path):
    out = tmp_path / 'out'
    process = start_recorder(domain, out)
    play(node, advertise(node, process, ['left/image_rect', 'depth/image']))
    out.rmdir()
    process.send_signal(signal.SIGINT)
    code, output = end_of(process)
    assert code == 1
    assert 'Traceback' not in output
    assert f'cannot be written to {out}: No such file or directory' in output


def test_losses_are_counted_where_matched_events_do_not_exist(domain, tmp_path, monkeypatch):
    real, accepted = recorder_module.SubscriptionEventCallbacks, []

    def without_matched(*, message_lost):  # as in Humble: another name is a TypeError
        accepted.append(message_lost)
        return real(message_lost=message_lost)

    monkeypatch.setattr(recorder_module, 'SubscriptionEventCallbacks', without_matched)
    rclpy.init(domain_id=domain, args=['--ros-args', '-p', f'out:={tmp_path}'])
    try:
        node = recorder_module.Recorder()
        heard = {*recorder_module.TOPICS, 'points2'}
        assert len(accepted) == len(heard)
        assert {s.topic_name.lstrip('/') for s in node.subscriptions} >= heard
        node.destroy_node()
    finally:
        rclpy.try_shutdown()
