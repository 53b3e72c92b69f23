# SPDX-License-Identifier: Apache-2.0
"""Parameters of the running node as an operator changes them, and those it does not start with."""

import numpy as np
import pytest
from harness import values_of
from rcl_interfaces.srv import DescribeParameters, SetParameters
from rclpy.parameter import Parameter
from scene import BASELINE_M, FOCAL_PX, HEIGHT, WIDTH, pixels_of, to_ns
from sensor_msgs.msg import PointCloud2
from stereo_msgs.msg import DisparityImage

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def nodes(start_node, bad_starts):
    return {'': start_node()}


def test_decimation_takes_effect_with_the_next_frame(robot):
    clouds = robot.listen('points2', PointCloud2)
    assert (robot.ask(clouds).width, clouds[-1].height) == (WIDTH, HEIGHT)
    with robot.parameters(points__decimation=4):
        assert (robot.ask(clouds).width, clouds[-1].height) == (WIDTH // 4, HEIGHT // 4)


def test_filtered_points_have_no_holes(robot):
    clouds = robot.listen('points2', PointCloud2)
    with robot.parameters(points__organized=False):
        cloud = robot.ask(clouds)
    assert (cloud.height, cloud.is_dense) == (1, True)
    assert WIDTH * HEIGHT / 2 < cloud.width < WIDTH * HEIGHT
    assert np.isfinite(np.frombuffer(cloud.data, np.float32).reshape(-1, 4)[:, :3]).all()


def test_both_ends_of_the_depth_range_move_together(robot):
    disparities = robot.listen('disparity', DisparityImage)
    before = robot.ask(disparities)
    with robot.parameters(min_depth=1.5, max_depth=2.5):
        narrow = robot.ask(disparities)
    assert narrow.max_disparity < before.max_disparity
    assert narrow.max_disparity >= FOCAL_PX * BASELINE_M / 1.5 - 1
    with robot.parameters(min_depth=60.0, max_depth=80.0):  # each alone would be refused or odd
        assert robot.get_parameters('min_depth', 'max_depth') == {
            'min_depth': 60.0,
            'max_depth': 80.0,
        }


def test_a_search_range_beside_the_truth_finds_nothing(robot):
    depths = robot.listen('depth/image')
    assert np.isfinite(pixels_of(robot.ask(depths))).mean() > 0.5
    with robot.parameters(sgbm__min_disparity=32, sgbm__disparity_range=16):
        assert np.isfinite(pixels_of(robot.ask(depths))).mean() < 0.2
    assert np.isfinite(pixels_of(robot.ask(depths))).mean() > 0.5


def test_slop_decides_which_stamps_pair_up(robot):
    depths = robot.listen('depth/image')

    def send_with_late_right():
        return robot.send_pair(right={'stamp_ns': robot.now_ns() + 20_000_000})

    robot.ask(depths)
    received = values_of(robot.status('sync'))['left received']
    late = set()
    robot.status(
        'sync',
        lambda _, v: v['left received'] >= received + 5,
        every=lambda: late.add(send_with_late_right()),
    )
    assert not late & {to_ns(depth.header.stamp) for depth in depths}
    with robot.parameters(sync__slop=0.03):
        robot.ask(depths, send_with_late_right)


@pytest.mark.parametrize(
    ('bad', 'words'),
    [
        ({'sgbm.P1': 321.0, 'sgbm.P2': 123.0}, ('P2', '123', 'P1', '321')),
        ({'min_depth': 60.0, 'max_depth': 50.0}, ('max_depth', 'min_depth', '60', '50')),
        ({'sgbm.correlation_window_size': 4}, ('correlation_window_size', 'odd', '4')),
        ({'backend': 'magic'}, ('backend', 'sgbm', 'magic')),
        ({'depth.encoding': '8UC1'}, ('depth.encoding', '16UC1', '8UC1')),
        ({'sgbm.disparity_range': 40}, ('sgbm.disparity_range', '40')),
        ({'points.decimation': 0}, ('points.decimation', '0')),
        ({'min_depth': '1'}, ('min_depth', 'a number', "'1'")),
        ({'device': 'cuda'}, ('device', 'read-only')),
        ({'autostart': False}, ('autostart', 'read-only')),
    ],
)
def test_a_bad_value_refuses_its_whole_batch_and_says_why(robot, bad, words):
    names = ('points.max_range', *bad)
    before = robot.get_parameters(*names)

    result = robot.set_parameters({'points.max_range': 7.0, **bad})

    assert not result.successful
    assert all(word in result.reason for word in words), result.reason
    assert '\n' not in result.reason.strip()
    assert robot.get_parameters(*names) == before


def test_a_refused_value_does_not_reach_the_frames(robot):
    clouds = robot.listen('points2', PointCloud2)
    assert not robot.set_parameters(
        {'points.decimation': 2, 'sgbm.correlation_window_size': 4}
    ).successful
    assert robot.ask(clouds).width == WIDTH


def test_a_batch_set_one_by_one_keeps_its_good_part(robot):
    changes = {'points.decimation': 2, 'sgbm.correlation_window_size': 4}
    request = SetParameters.Request(
        parameters=[Parameter(n, value=v).to_parameter_msg() for n, v in changes.items()]
    )
    results = robot.call(SetParameters, 'set_parameters', request).results
    assert [r.successful for r in results] == [True, False]
    assert robot.ask(robot.listen('points2', PointCloud2)).width == WIDTH // 2
    assert robot.set_parameters({'points.decimation': 1}).successful


def test_every_parameter_is_described(robot):
    request = DescribeParameters.Request(
        names=['device', 'points.decimation', 'min_depth', 'depth.encoding']
    )
    device, decimation, min_depth, encoding = robot.call(
        DescribeParameters, 'describe_parameters', request
    ).descriptors
    assert all(d.description for d in (device, decimation, min_depth, encoding))
    assert device.read_only
    assert (decimation.integer_range[0].from_value, decimation.integer_range[0].to_value) == (
        1,
        64,
    )
    assert min_depth.floating_point_range[0].from_value == 0.01
    assert '16UC1' in encoding.additional_constraints


BAD_STARTS = {
    'penalties': ({'sgbm.P1': 321.0, 'sgbm.P2': 123.0}, ('P2', 'P1', '321', '123')),
    'text': ({'min_depth': 'near'}, ('min_depth', 'a number such as 10.0', 'near')),
    'backend': ({'backend': 'magic'}, ('backend', 'magic', 'sgbm')),
    'no_gpu': ({'device': 'cuda:7'}, ('cuda:7', 'CUDA')),
    'device': ({'device': 'gpu'}, ('device', 'gpu')),
    'qos': (
        {'qos_overrides./qos/points2.publisher.reliability': 'maybe'},
        ('reliable or', 'maybe'),
    ),
}


@pytest.fixture(scope='module')
def bad_starts(start_node):
    """The processes, started together."""
    return {name: start_node(f'/{name}', values) for name, (values, _) in BAD_STARTS.items()}


@pytest.mark.parametrize('name', BAD_STARTS)
def test_a_bad_start_ends_with_one_clear_line(bad_starts, name):
    node = bad_starts[name]
    assert node.wait_for_exit(timeout=60.0) == 1
    lines = node.output.strip().splitlines()
    assert len(lines) == 1, node.output
    assert all(word in lines[0] for word in BAD_STARTS[name][1]), lines[0]
