# SPDX-License-Identifier: Apache-2.0
"""`~/run_depth_estimation` with a real network: the numbers of the topic and the Python API."""

import functools
import re

import depth_anything_rules as rules
import numpy as np
import pytest
import torch
from encoded import png
from mono_robot import MONO_NODE
from scene import info_message, pixels_of
from sensor_msgs.msg import Image, PointCloud2
from service_calls import assert_same_points, cloud, mono_request, rgb_message, values, ways_of

from vizion3d_interfaces.srv import RunDepthEstimation
from vizion3d_ros import lifting
from vizion3d_ros.contracts.settings.mono_settings import DepthAnythingSettings, MonoSettings
from vizion3d_ros.lifting import (
    DepthEstimation,
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)

pytestmark = [pytest.mark.ros, pytest.mark.slow]

WIDTH, HEIGHT = 126, 98
SMALL = 98  # the network sees the image as it is
CONFIG = {'fx': 90.0, 'fy': 95.0, 'cx': 60.0, 'cy': 50.0, 'depth_trunc': 8.0}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """The node's own checkpoint, one that requests may choose, and one that they may not."""
    folder = tmp_path_factory.mktemp('checkpoints')
    (folder / 'allowed').mkdir()
    torch.save(rules.state_dict('vits'), folder / 'own_vits.pth')
    (folder / 'allowed' / 'metric_hypersim_vits.pth').hardlink_to(folder / 'own_vits.pth')
    return folder


@pytest.fixture(scope='module')
def own(folder):
    return str(folder / 'own_vits.pth')


@pytest.fixture(scope='module')
def metric(folder):
    return str(folder / 'allowed' / 'metric_hypersim_vits.pth')


@pytest.fixture(scope='module')
def nodes(own, folder, start_node):
    parameters = {
        'depth_anything_v2.model_backend': own,
        'depth_anything_v2.input_size': SMALL,
        'requests.allowed_models': f'[{folder}/allowed]',
        'requests.allowed_input_dirs': f'[{folder}]',
        'device': 'cpu',
    }
    return {'': start_node(parameters=parameters, program=MONO_NODE)}


@pytest.fixture
def picture(make_pair):
    return make_pair(WIDTH, HEIGHT).left


@pytest.fixture
def call(robot, picture):
    """Call it to get the response to a request with this picture, or to another."""

    def call(image=None, request=None, **fields):
        request = request or mono_request(png(picture) if image is None else image, **fields)
        return robot.call(RunDepthEstimation, 'run_depth_estimation', request)

    return call


@pytest.fixture
def ask(call):
    """As call; the response must be a good one."""

    def ask(*args, **fields):
        response = call(*args, **fields)
        assert response.success, response.message
        return response

    return ask


@pytest.fixture
def api(picture, monkeypatch):
    """Call it to get what the Python API says of the picture, at the node's input size."""
    network = DepthAnythingSettings(input_size=SMALL)
    settings = functools.partial(MonoSettings, depth_anything_v2=network)
    monkeypatch.setattr(lifting, 'MonoSettings', settings)

    def run(checkpoint, config=CONFIG):
        return DepthEstimation('cpu').run(
            DepthEstimationCommand(
                image_input=picture,
                model_backend=checkpoint,
                advanced_config=DepthEstimationAdvanceConfig(**config),
            )
        )

    return run


def test_topic_service_and_python_api_give_the_same_numbers(robot, ask, api, picture, own, folder):
    truth = api(own)

    def send():
        stamp_ns = robot.now_ns()
        robot.send_info(info_message(width=WIDTH, height=HEIGHT))
        robot.publisher('image_rect').publish(rgb_message(picture, stamp_ns))
        return stamp_ns

    on_topic = robot.ask(robot.listen('relative_depth/image'), send)
    np.testing.assert_array_equal(pixels_of(on_topic), truth.raw_depth)
    assert np.ptp(truth.raw_depth) > 0.1
    for way, image in ways_of(picture, folder, 'picture').items():
        response = ask(image)
        np.testing.assert_array_equal(values(response.depth_map), truth.raw_depth, way)
        assert (response.min_depth, response.max_depth) == (truth.min_depth, truth.max_depth)
        assert response.min_depth == truth.raw_depth.min()
        assert response.max_depth == truth.raw_depth.max()
        assert response.backend_used == truth.backend_used == own
        assert response.is_metric is False


def test_a_checkpoint_that_is_allowed_can_be_chosen_and_the_nodes_own_stays(ask, api, own, metric):
    truth, before = api(metric), ask()
    for field in ('model_backend', 'local_model_path'):
        response = ask(**{field: metric})
        np.testing.assert_array_equal(values(response.depth_map), truth.raw_depth)
        assert response.backend_used == metric and response.is_metric is True
    after = ask(model_backend=own)
    assert after.backend_used == own
    np.testing.assert_array_equal(values(after.depth_map), values(before.depth_map))


def test_the_picture_is_white_where_it_is_nearest(ask):
    response = ask(return_depth_image=True)
    relative = values(response.depth_map)
    low, high = response.min_depth, response.max_depth
    truth = 65535 * (relative - low) / (high - low)
    assert np.abs(values(response.depth_image) - truth).max() <= 1


def test_points_of_a_relative_answer_are_spread_from_half_a_metre_to_the_end(ask, picture):
    response = ask(return_point_cloud=True, config=CONFIG)
    relative = values(response.depth_map)
    low, high = response.min_depth, response.max_depth
    z = 0.5 + (1 - (relative - low) / (high - low)) * (CONFIG['depth_trunc'] - 0.5)
    xyz, rgb = cloud(response.point_cloud)
    assert len(xyz) == WIDTH * HEIGHT
    np.testing.assert_allclose(xyz[:, 2], z.ravel(), rtol=1e-5)
    np.testing.assert_array_equal(rgb, picture.reshape(-1, 3))
    focal = [CONFIG['fx'], CONFIG['fy']]
    pixel = xyz[:, :2] * focal / xyz[:, 2:] + [CONFIG['cx'], CONFIG['cy']]
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    np.testing.assert_allclose(pixel, np.stack([columns.ravel(), rows.ravel()], 1), atol=1e-3)
    assert_same_points(response)


def test_points_of_a_metric_answer_are_its_depth_up_to_the_end(ask, metric):
    depth = values(ask(model_backend=metric).depth_map)
    end = float(np.median(depth[depth > 0]))
    response = ask(
        model_backend=metric, return_point_cloud=True, config={**CONFIG, 'depth_trunc': end}
    )
    xyz, _ = cloud(response.point_cloud)
    np.testing.assert_array_equal(xyz[:, 2], depth[(depth > 0) & (depth < end)])
    assert 0 < len(xyz) < WIDTH * HEIGHT
    assert_same_points(response)


def test_an_unknown_camera_is_guessed_from_the_width(ask, picture):
    """As the contract has it: fx = fy = 0.85 * width, the centre in the middle."""
    image, height = png(picture[:-2]), HEIGHT - 2  # no size that the topics have
    guess = {'fx': 0.85 * WIDTH, 'fy': 0.85 * WIDTH, 'cx': WIDTH / 2, 'cy': height / 2}
    told, left_out = (ask(image, return_point_cloud=True, config=c) for c in (guess, {}))
    assert told.message == '' and 'fx and fy were guessed as 107.1 px' in left_out.message
    assert told.point_cloud.data == left_out.point_cloud.data


def test_a_camera_that_is_left_out_is_that_of_the_topic_if_it_fits(robot, ask, metric):
    fields = {'model_backend': metric, 'return_point_cloud': True}
    own = {'fx': 90.0, 'fy': 90.0, 'cx': (WIDTH - 1) / 2, 'cy': (HEIGHT - 1) / 2}
    info = info_message(0.0, WIDTH, HEIGHT, 90.0)
    robot.status(
        'calibration',
        lambda _, values: values.get('fx') == 90.0,
        every=lambda: robot.send_info(info),
    )
    told, left_out = (ask(config=config, **fields) for config in (own, {}))
    assert (told.message, left_out.message) == ('', '')
    assert told.point_cloud.data == left_out.point_cloud.data


def test_what_was_not_asked_for_is_empty_and_the_header_is_that_of_the_message(ask, picture):
    message = rgb_message(picture, 12_000_000_345, 'camera')
    response = ask(message)
    assert response.depth_map.header == message.header
    assert response.depth_image == Image()
    assert response.point_cloud == PointCloud2()
    assert len(response.point_cloud_ply) == 0
    assert ask(message, omit_maps=True).depth_map == Image()


@pytest.mark.parametrize(
    ('request_', 'told'),
    [
        (RunDepthEstimation.Request(), r'image: .*got none'),
        (mono_request(b'hello'), r'image: expected an image'),
        (mono_request('/etc/passwd'), r'image_path: .*allowed_input_dirs'),
        (mono_request(b'x', image_path='x'), r'image: .*got image_bytes and image_path'),
        ({'model_backend': 'opencv-sgbm'}, r"model_backend: 'opencv-sgbm' needs two"),
        ({'model_backend': 'depth-anything-v2-small'}, r'model_backend: .*allowed_models'),
        ({'local_model_path': '/etc/passwd'}, r'local_model_path: .*allowed_models'),
        ({'config': {'fx': -1}}, r'fx: .*got -1'),
        ({'config': {'cy': float('inf')}}, r'cy: .*got inf'),
        ({'config': {'depth_trunc': 0.4}}, r'depth_trunc: .*got 0.4'),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_the_next_good_one_answered(
    call, node, request_, told
):
    fields = request_ if isinstance(request_, dict) else {'request': request_}
    response = call(**fields)
    assert not response.success
    assert re.match(told, response.message), response.message
    assert call().success
    assert node.alive and 'Traceback' not in node.output
