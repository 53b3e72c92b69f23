# SPDX-License-Identifier: Apache-2.0
"""The synthetic rig as a real process, heard over real middleware."""

import json
import re
import signal
import time

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from scene import to_ns  # noqa: E402
from sensor_msgs.msg import Image, PointCloud2, PointField  # noqa: E402
from sensor_msgs_py import point_cloud2  # noqa: E402

from vizion3d_ros.contracts.camera import StereoRig  # noqa: E402
from vizion3d_ros.geometry.metric_scale.sparse_depth import project  # noqa: E402
from vizion3d_ros.incoming.images import image_to_array  # noqa: E402
from vizion3d_ros.ros.testbed.camera_messages import camera_infos, encode  # noqa: E402
from vizion3d_ros.ros.testbed.synthetic_rig import faulty  # noqa: E402
from vizion3d_ros.testbed.lidar import LIDAR_POSE  # noqa: E402
from vizion3d_ros.testbed.scene import SyntheticScene  # noqa: E402

pytestmark = pytest.mark.ros

WIDTH, HEIGHT = 96, 64
START_S = 20.0
SMALL = {'width': WIDTH, 'height': HEIGHT, 'rate': 100.0, 'wait_for_subscribers': START_S}


def small_rig(doffs=0.0):
    rig = StereoRig.from_field_of_view(WIDTH, HEIGHT, 65.0, 0.12)
    return rig.model_copy(update={'doffs': doffs})


def test_frames_are_those_of_the_scene_with_its_true_depth(start_source, listen):
    ears = listen(ground_truth__depth=Image)
    source = start_source('synthetic_rig', **SMALL, frames=5, doffs=3.0)
    ears.listen_until_the_end(source)
    assert source.summary() == {
        'frames_sent': 5, 'late': 0, 'dropped_left': 0, 'dropped_right': 0
    }  # fmt: skip
    assert {topic: len(messages) for topic, messages in ears.heard.items()} == dict.fromkeys(
        ears.heard, 5
    )
    scene = SyntheticScene(small_rig(doffs=3.0))
    left, right, left_info, right_info, depth = (ears.heard[topic] for topic in ears.heard)
    for index in range(5):
        frame = scene.at(index / SMALL['rate'])
        np.testing.assert_array_equal(image_to_array(left[index]), frame.left)
        np.testing.assert_array_equal(image_to_array(right[index]), frame.right)
        sent = np.frombuffer(depth[index].data, np.float32).reshape(HEIGHT, WIDTH)
        np.testing.assert_array_equal(sent, frame.depth_m)
        stamps = {to_ns(messages[index].header.stamp) for messages in ears.heard.values()}
        assert len(stamps) == 1 and abs(stamps.pop() - time.time_ns()) < 60e9
    assert depth[0].encoding == '32FC1'
    assert (left[0].encoding, left[0].step) == ('rgb8', 3 * WIDTH)
    assert left[0].header.frame_id == left_info[0].header.frame_id == 'rig_left_optical_frame'
    assert right[0].header.frame_id == right_info[0].header.frame_id == 'rig_right_optical_frame'
    assert right_info[0].p[2] - left_info[0].p[2] == pytest.approx(3.0)


def scans(ears):
    """Points of every scan, float32 (N, 3), after a look at its header and layout."""
    for cloud, image in zip(ears.heard['lidar/points'], ears.heard['left/image_rect']):
        assert cloud.header.frame_id == 'rig_lidar_frame'
        assert cloud.header.stamp == image.header.stamp
        assert [(field.name, field.datatype) for field in cloud.fields] == [
            (axis, PointField.FLOAT32) for axis in 'xyz'
        ]
        yield point_cloud2.read_points_numpy(cloud)


def test_the_lidar_sees_the_depth_of_the_left_camera(start_source, listen):
    ears = listen(lidar__points=PointCloud2)
    ears.listen_until_the_end(start_source('synthetic_rig', **SMALL, frames=3, lidar_points=500))
    scene, camera = SyntheticScene(small_rig()), small_rig().left
    for index, points in enumerate(scans(ears)):
        seen = project(points, LIDAR_POSE, camera)
        assert seen.depth_m.size == len(points) == 500
        pixels = np.rint(seen.rows).astype(int), np.rint(seen.columns).astype(int)
        true = scene.at(index / SMALL['rate']).depth_m[pixels]
        np.testing.assert_allclose(seen.depth_m, true, rtol=1e-5)
    assert index == 2


def test_the_lidar_is_as_wrong_as_asked(start_source, listen):
    ears = listen(lidar__points=PointCloud2)
    options = {'lidar_points': 2000, 'lidar_noise': 0.01, 'lidar_outliers': 0.25}
    ears.listen_until_the_end(start_source('synthetic_rig', **SMALL, frames=1, **options))
    (points,) = scans(ears)
    seen = project(points, LIDAR_POSE, small_rig().left)
    pixels = np.rint(seen.rows).astype(int), np.rint(seen.columns).astype(int)
    errors = np.abs(seen.depth_m - SyntheticScene(small_rig()).at(0.0).depth_m[pixels])
    assert 0.6 < (errors < 0.04).mean() < 0.85
    assert 0.003 < np.median(errors) < 0.03


def test_without_points_there_is_no_lidar(start_source, listen):
    ears = listen(lidar__points=PointCloud2)
    source = start_source('synthetic_rig', **SMALL)
    ears.wait_for(lambda: len(ears.heard['left/image_rect']) > 2)
    assert ears.publishers('left/image_rect') == 1
    assert ears.publishers('lidar/points') == 0
    source.process.send_signal(signal.SIGINT)
    source.summary()


@pytest.mark.parametrize(
    ('encoding', 'pixel_bytes', 'padding'),
    [('mono8', 1, 0), ('bgra8', 4, 7), ('mono16', 2, 13), ('bayer_rggb8', 1, 5)],
)
def test_encodings_and_row_padding(start_source, listen, encoding, pixel_bytes, padding):
    ears = listen()
    source = start_source(
        'synthetic_rig', **SMALL, frames=1, encoding=encoding, row_padding=padding
    )
    ears.listen_until_the_end(source)
    assert source.summary()['frames_sent'] == 1
    image = ears.heard['left/image_rect'][0]
    assert image.encoding == encoding
    assert image.step == WIDTH * pixel_bytes + padding
    rows = np.frombuffer(image.data, np.uint8).reshape(HEIGHT, image.step)
    expected = encode(SyntheticScene(small_rig()).at(0.0).left, encoding)
    np.testing.assert_array_equal(
        rows[:, : WIDTH * pixel_bytes], expected.view(np.uint8).reshape(HEIGHT, -1)
    )


def test_lost_frames_and_shifted_stamps_are_as_counted(start_source, listen):
    ears = listen()
    options = {'frames': 60, 'drop_rate': 0.3, 'stamp_jitter': 0.004, 'seed': 3}
    source = start_source('synthetic_rig', **{**SMALL, 'rate': 50.0}, **options)
    ears.listen_until_the_end(source)
    summary = source.summary()
    left, right = ears.heard['left/image_rect'], ears.heard['right/image_rect']
    assert summary['frames_sent'] == 60
    assert 5 < summary['dropped_left'] < 35 and 5 < summary['dropped_right'] < 35
    assert len(left) == 60 - summary['dropped_left']
    assert len(right) == 60 - summary['dropped_right']
    assert len(ears.heard['left/camera_info']) == len(left)
    left_ns = np.array([to_ns(message.header.stamp) for message in left])
    right_ns = np.array([to_ns(message.header.stamp) for message in right])
    offsets_ms = np.abs(right_ns[:, None] - left_ns).min(axis=1) / 1e6
    paired = offsets_ms[offsets_ms < 8]
    assert len(paired) > 20
    assert 1.0 < paired.max() <= 4.0


def test_noise_has_the_deviation_asked_for_and_differs_between_the_cameras(start_source, listen):
    ears = listen()
    ears.listen_until_the_end(start_source('synthetic_rig', **SMALL, frames=1, noise=4.0))
    scene = SyntheticScene(small_rig()).at(0.0)
    noises = []
    for side, clean in (('left', scene.left), ('right', scene.right)):
        noise = image_to_array(ears.heard[f'{side}/image_rect'][0]) - clean.astype(float)
        unclipped = (clean > 20) & (clean < 235)
        assert unclipped.mean() > 0.5
        assert noise[unclipped].std() == pytest.approx(4.0, rel=0.05)
        assert abs(noise[unclipped].mean()) < 0.2
        noises.append(noise.ravel())
    assert abs(np.corrcoef(noises)[0, 1]) < 0.05


def test_it_says_that_it_renders_and_how_long(start_source):
    _, _, err = start_source(
        'synthetic_rig', **{**SMALL, 'wait_for_subscribers': 0.0}, frames=2
    ).end()
    assert re.search(rf'rendering 2 of 2 frames of a swing, {WIDTH}x{HEIGHT}: about \d+ s', err)


def test_missing_camera_infos_are_missing(start_source, listen):
    ears = listen()
    source = start_source('synthetic_rig', **SMALL, frames=2, camera_info_fault='missing')
    ears.listen_until_the_end(source)
    assert len(ears.heard['left/image_rect']) == 2
    assert ears.heard['left/camera_info'] == ears.heard['right/camera_info'] == []


@pytest.mark.parametrize(
    ('fault', 'shows'),
    [
        ('none', lambda left, right: right.p[3] == pytest.approx(-0.12 * left.p[0])),
        ('uncalibrated', lambda left, right: left.k[0] == right.p[0] == 0),
        ('zero_baseline', lambda left, right: right.p[3] == 0 and left.p[3] == 0),
        ('swapped_sign', lambda left, right: right.p[3] > 0),
        ('left_baseline', lambda left, right: left.p[3] < 0 and right.p[3] == 0),
        ('focal_mismatch', lambda left, right: right.p[0] > 1.04 * left.p[0]),
        ('row_mismatch', lambda left, right: right.p[6] == left.p[6] + 5),
        ('wrong_size', lambda left, right: left.width == right.width == 2 * WIDTH),
    ],
)
def test_each_camera_info_fault_shows(fault, shows):
    assert shows(*faulty(camera_infos(small_rig()), fault))


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quickly_and_without_complaint(start_source, listen, number):
    ears = listen()
    source = start_source('synthetic_rig', **SMALL)
    ears.wait_for(lambda: len(ears.heard['left/image_rect']) > 3)
    source.process.send_signal(number)
    begun = time.monotonic()
    ears.wait_for(lambda: source.process.poll() is not None)
    assert time.monotonic() - begun < 2.0
    assert source.summary()['frames_sent'] >= 3  # the fourth may have been cut in two


def test_it_waits_for_listeners_only_so_long(start_source):
    source = start_source('synthetic_rig', **{**SMALL, 'wait_for_subscribers': 0.2}, frames=2)
    code, out, err = source.end()
    assert code == 0
    assert json.loads(out.splitlines()[-1])['frames_sent'] == 2
    assert 'nobody listens' in err


@pytest.mark.parametrize(
    ('name', 'parameters', 'words'),
    [
        ('synthetic_rig', {'encoding': 'jpeg'}, ('encoding', 'jpeg', 'mono8')),
        ('synthetic_rig', {'baseline_m': 3.0}, ('baseline_m', '0.5')),
        ('play_pair', {}, ('folder', 'left.png')),
        ('play_pair', {'folder': '/nowhere/at/all'}, ('/nowhere/at/all', 'left.png')),
    ],
)
def test_a_bad_parameter_is_one_line_and_exit_code_1(start_source, name, parameters, words):
    code, _, err = start_source(name, **parameters).end()
    assert code == 1
    assert 'Traceback' not in err
    assert all(word in err for word in words), err
