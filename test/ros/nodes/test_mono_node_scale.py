# SPDX-License-Identifier: Apache-2.0
"""Metres for a relative checkpoint from sparse depth: while it is good, and only then."""

import itertools
import re

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from harness import values_of
from known_depth_node import OTHER_CHECKPOINT, OTHER_RATIO, SCALE, SHIFT
from mono_robot import (
    DEPTH_M,
    KNOWN_NODE,
    LIDAR_POSE,
    METRIC_OUTPUTS,
    MONO_OUTPUTS,
    RELATIVE,
    SPARSE,
    cloud_message,
    depth_error,
    measured,
    seen_by_lidar,
)
from scene import FRAME_ID, HEIGHT, WIDTH, pixels_of, to_ns
from sensor_msgs.msg import PointCloud2

pytestmark = pytest.mark.ros

SECOND = 10**9
OK, WARN = DiagnosticStatus.OK, DiagnosticStatus.WARN
PARAMETERS = {**RELATIVE, 'sparse_depth.transform': LIDAR_POSE}


@pytest.fixture(scope='module')
def nodes(start_node):
    return {'': start_node(parameters=PARAMETERS, program=KNOWN_NODE)}


def assert_metres(robot, send=None, points=400):
    """A fit of so many points is good, and depth right to a percent comes; gives its values."""
    depths = robot.listen('depth/image')
    send = send or robot.send_scan_and_image
    status = robot.status(
        'scale',
        lambda s, v: s.message.startswith('metric: ') and v['points'] == points,
        every=send,
    )
    depth = robot.ask(depths, send)
    assert depth_error(pixels_of(depth)) < 0.01
    robot.ignore(depths)
    return values_of(status)


def assert_no_metres(robot, send, *words):
    """Nothing metric comes out, the relative answer goes on, and diagnostics have the words."""
    heard = robot.listen_to(MONO_OUTPUTS)
    status = robot.status(
        'scale',
        lambda s, _: s.level == WARN and all(word in s.message for word in words),
        every=send,
    )
    for messages in heard.values():
        messages.clear()
    relative = heard['relative_depth/image']
    robot.wait_for(lambda: len(relative) >= 3, what='relative answers', every=send)
    assert not [topic for topic in METRIC_OUTPUTS if heard[topic]]
    for messages in heard.values():
        robot.ignore(messages)
    return status


def test_a_lidar_beside_the_camera_gives_metres_on_every_metric_output(robot, node):
    heard = robot.listen_to(MONO_OUTPUTS)
    values = assert_metres(robot)

    assert (values['points'], values['inliers'], values['cells']) == (400, 400, 16)
    assert values['residual'] < 0.001 and values['age'] < 0.5
    assert values['scale'] == pytest.approx(SCALE, rel=0.001)
    assert values['shift'] == pytest.approx(SHIFT, rel=0.001)
    node.wait_for_line('[INFO]', 'metres from sparse depth: 400 of 400')
    robot.wait_for(
        lambda: all(heard.values()), what='every output', every=robot.send_scan_and_image
    )
    cloud = heard['points2'][-1]
    z = np.frombuffer(cloud.data, np.float32).reshape(HEIGHT, WIDTH, 4)[..., 2]
    assert cloud.header.frame_id == FRAME_ID
    assert depth_error(z) < 0.01
    relative = pixels_of(heard['relative_depth/image'][-1])
    np.testing.assert_allclose(relative * SCALE + SHIFT, 1 / DEPTH_M, 1e-4)


def wrong_by(random, points, share):
    """That share of the points moved along its ray, as by glass, dust and other things' edges."""
    wrong = random.random(len(points)) < share
    factors = np.where(wrong, random.choice([0.3, 0.5, 1.7, 3.0], len(points)), 1.0)
    return points * factors[:, None]


def test_three_wrong_points_in_ten_do_no_harm(robot):
    points = seen_by_lidar(wrong_by(np.random.default_rng(1), measured(1000), 0.3))
    values = assert_metres(robot, lambda: robot.send_scan_and_image(points), 1000)
    assert 640 < values['inliers'] < 760


def test_points_that_are_none_or_out_of_sight_do_no_harm(robot):
    none = np.full((50, 3), np.nan)
    behind = -measured(60, seed=2)
    aside = np.add(measured(70, seed=3), [100.0, 0.0, 0.0])
    points = seen_by_lidar(np.concatenate([none, behind, measured(123), aside]))
    values = assert_metres(robot, lambda: robot.send_scan_and_image(points), 123)
    assert values['inliers'] == 123


@pytest.mark.parametrize('encoding', ['32FC1', '16UC1'])
def test_a_sparse_depth_image_of_another_size_does_as_well(robot, encoding):
    sparse = np.full((HEIGHT // 2, WIDTH // 2), np.nan)
    rows, columns = np.random.default_rng(4).integers(0, (HEIGHT // 2, WIDTH // 2), (300, 2)).T
    blocks = DEPTH_M.reshape(HEIGHT // 2, 2, WIDTH // 2, 2)
    sparse[rows, columns] = 1 / (1 / blocks).mean(axis=(1, 3))[rows, columns]
    measured_pixels = np.isfinite(sparse).sum()

    def send():
        robot.send_depth_image(sparse, encoding=encoding)
        return robot.send()

    depths = robot.listen('depth/image')
    status = robot.status('scale', lambda _, v: v.get('points') == measured_pixels, every=send)
    assert values_of(status)['inliers'] == measured_pixels
    assert depth_error(pixels_of(robot.ask(depths, send))) < 0.01


def test_a_lidar_that_stops_ends_depth_after_max_age_and_a_lidar_that_returns_brings_it_back(
    robot, node
):
    with robot.parameters(sparse_depth__max_age=1.0):
        assert_metres(robot)
        depths = robot.listen('depth/image', note=lambda m: to_ns(m.header.stamp))
        first = robot.send()  # no points from here on
        status = assert_no_metres(robot, robot.send, 'max_age 1', 'no sparse depth has arrived')
        lasted = (max(depths) - first) / SECOND
        assert 0.5 < lasted < 1.2, 'max_age from the last image that max_offset gave points'
        assert values_of(status)['age'] > 1.0
        node.wait_for_line('[WARN]', 'scale: no metres, so no depth/* and no points2', 'max_age')
        assert_metres(robot)


def test_a_lidar_of_another_clock_is_told_with_the_distance(robot):
    def send():
        robot.send_points(stamp_ns=robot.now_ns() + 5 * SECOND)
        return robot.send()

    status = assert_no_metres(robot, send, 'sparse_depth.max_offset', 'check the clocks')
    told = float(re.search(r'([+-][\d.]+) s off the image', status.message).group(1))
    assert told == pytest.approx(-5, abs=0.5)


def test_of_several_scans_the_one_of_the_images_time_counts(robot):
    """Images may take longer to arrive than points: newer scans are there already."""
    with robot.parameters(sparse_depth__max_offset=0.04, sparse_depth__smoothing=0.0):
        start, count = robot.now_ns(), itertools.count()

        def send():
            stamp_ns = start + next(count) * SECOND
            for step in (-1, 0, 1, 2):  # all but one see everything at double distance
                points = measured() * (1.0 if step == 0 else 2.0)
                robot.send_points(seen_by_lidar(points), stamp_ns=stamp_ns + step * SECOND // 10)
            robot.send_info()
            return robot.send_image(stamp_ns=stamp_ns)

        assert_metres(robot, send)
        assert values_of(robot.status('scale', every=send))['inliers'] == 400


def test_points_of_another_frame_without_a_transform_are_named(robot):
    with robot.parameters(sparse_depth__transform=[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]):
        assert_no_metres(robot, robot.send_scan_and_image, "'lidar'", f'{FRAME_ID!r}', 'transform')

        points = {'points': measured(), 'frame_id': FRAME_ID}
        assert_metres(robot, lambda: robot.send_scan_and_image(**points))


def without_fields(message):
    message.fields = message.fields[:2]


def truncated(message):
    message.data = message.data[:100]


BAD_CLOUDS = [
    (without_fields, ('field z', "'x', 'y'")),
    (truncated, ('100 bytes',)),
]


@pytest.mark.parametrize(('spoil', 'words'), BAD_CLOUDS, ids=lambda f: getattr(f, '__name__', ''))
def test_a_cloud_without_points_costs_the_metres_and_not_the_frame(robot, node, spoil, words):
    def send():
        message = cloud_message(seen_by_lidar(measured()), robot.now_ns())
        spoil(message)
        robot.publisher(*SPARSE['points']).publish(message)
        return robot.send()

    assert_no_metres(robot, send, *words)
    assert 'Traceback' not in node.output


def test_a_depth_image_without_depth_costs_the_metres_and_not_the_frame(robot, node):
    nothing = np.full((HEIGHT, WIDTH), np.nan)

    def send_nothing():
        robot.send_depth_image(nothing)
        return robot.send()

    def send_no_pixels():
        robot.send_depth_image(nothing[:, :0])
        return robot.send()

    assert_no_metres(robot, send_nothing, '0 points')
    assert_no_metres(robot, send_no_pixels, 'empty')
    assert 'Traceback' not in node.output


def test_one_depth_for_everything_is_not_enough(robot):
    """Scale and shift cannot be told apart."""
    points = measured(4000)
    points = points[np.abs(points[:, 2] - 2.0) < 0.05]
    noise = np.random.default_rng(5).normal(1.0, 0.03, (len(points), 1))
    points = seen_by_lidar(points * noise)
    assert len(points) > 30
    assert_no_metres(robot, lambda: robot.send_scan_and_image(points), 'near and far')


def test_nobody_fits_a_scale_that_nobody_asks_for(robot):
    relative = robot.listen('relative_depth/image')
    for _ in range(3):
        robot.ask(relative, robot.send_scan_and_image)
        relative.clear()
    status = robot.status('scale', every=robot.send_scan_and_image)
    before = values_of(status)
    later = robot.status(
        'scale',
        lambda _, v: v['images with sparse'] > before['images with sparse'] + 3,
        every=robot.send_scan_and_image,
    )
    assert (later.level, later.message) == (OK, 'relative: nobody asks for metres')
    assert values_of(later).get('age') == before.get('age'), 'no fit was made meanwhile'


def test_limits_of_the_fit_take_effect_at_once(robot):
    with robot.parameters(sparse_depth__min_points=500):
        assert_no_metres(robot, robot.send_scan_and_image, 'min_points', '400', '500')
    assert_metres(robot)


@pytest.mark.parametrize(
    ('transform', 'words'),
    [([0.0] * 6, ('transform', '7')), ([0.0] * 3 + [float('nan')] * 4, ('transform',))],
)
def test_a_transform_that_is_none_is_refused(robot, transform, words):
    result = robot.set_parameters({'sparse_depth.transform': transform})
    assert not result.successful
    assert all(word in result.reason for word in words), result.reason


def test_a_bag_that_starts_again_keeps_its_metres(robot, node):
    depths = robot.listen('depth/image')
    for offset in (0, -10, -20, -5):
        robot.clock_offset_ns = offset * SECOND
        depths.clear()
        depth = robot.ask(depths, robot.send_scan_and_image, timeout=5.0)
        assert depth_error(pixels_of(depth)) < 0.01
    assert node.lines('[INFO]', 'time went back by')


def test_another_network_does_not_inherit_the_scale(robot):
    assert_metres(robot)
    with robot.parameters(sparse_depth__max_age=30.0):
        assert_metres(robot)
        with robot.parameters(depth_anything_v2__model_backend=OTHER_CHECKPOINT):
            assert_no_metres(robot, robot.send, 'no sparse depth')
            values = assert_metres(robot)
            assert values['scale'] == pytest.approx(SCALE / OTHER_RATIO, rel=0.001)


def test_points_alone_wake_the_fit(robot):
    clouds = robot.listen('points2', PointCloud2)
    cloud = robot.ask(clouds, robot.send_scan_and_image)
    z = np.frombuffer(cloud.data, np.float32).reshape(HEIGHT, WIDTH, 4)[..., 2]
    assert depth_error(z) < 0.01
