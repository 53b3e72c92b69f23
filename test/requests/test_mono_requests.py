# SPDX-License-Identifier: Apache-2.0
"""Requests for one image: what the pipeline is told, and what becomes of its result."""

import time

import numpy as np
import pytest
import torch
from known_answers import KnownNetwork, noise, serve_network

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.mono_request import (
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)
from vizion3d_ros.contracts.settings.mono_settings import DepthAnythingSettings, MonoSettings
from vizion3d_ros.files.picture import PictureLimits
from vizion3d_ros.pipeline import MonoPipeline
from vizion3d_ros.requests.mono import answer_mono, prepare_mono

HEIGHT, WIDTH = 48, 64
IMAGE = noise(HEIGHT, WIDTH)
RAMP = np.linspace(1.0, 5.0, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)


def request(**fields):
    config = DepthEstimationAdvanceConfig(**fields.pop('config', {}))
    return DepthEstimationCommand(image_input=IMAGE, advanced_config=config, **fields)


def answer(network, monkeypatch, device='cpu', **fields):
    """The answer to a request, through the pipeline."""
    serve_network(monkeypatch, network)
    return answer_mono(request(**fields), MonoPipeline(device).run).answer


# --- what the pipeline is told ---------------------------------------------------------------


@pytest.mark.parametrize(
    ('config', 'expected'),
    [
        ({}, (0.85 * WIDTH, 0.85 * WIDTH, WIDTH / 2, HEIGHT / 2)),
        ({'fx': 90.0}, (90.0, 90.0, WIDTH / 2, HEIGHT / 2)),
        ({'fy': 80.0, 'cx': 0.0}, (80.0, 80.0, 0.0, HEIGHT / 2)),
        ({'fx': 90.0, 'fy': 80.0, 'cx': 31.5, 'cy': 23.5}, (90.0, 80.0, 31.5, 23.5)),
    ],
)
def test_an_unknown_camera_is_guessed(config, expected):
    camera = prepare_mono(request(config=config)).camera
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == expected


@pytest.mark.parametrize(
    ('config', 'told'),
    [
        (
            {'cx': 0.5, 'cy': 0.5},
            r'.* point \(0\.5, 0\.5\) px.*give cx and cy in pixels',
        ),
        ({'fy': 1e-3}, r'fy = 0\.001 px.*give focal lengths in pixels'),
    ],
    ids=str,
)
def test_a_camera_that_cannot_be_is_refused(config, told):
    with pytest.raises(InputError, match=rf'^advanced_config: has {told}'):
        prepare_mono(request(config=config))


def test_the_node_decides_what_the_request_leaves_open():
    own = DepthAnythingSettings(model_backend='own.pth', input_size=252, metric_max_depth=20.0)
    node = MonoSettings(depth_anything_v2=own, max_depth=7.0)
    settings = prepare_mono(request(model_backend=''), node).settings
    assert settings.depth_anything_v2 == own
    assert (settings.min_depth, settings.max_depth) == (0.01, 10_000.0)
    other = prepare_mono(request(model_backend='other.pth'), node).settings.depth_anything_v2
    assert (other.model_backend, other.input_size, other.metric_max_depth) == ('other.pth', 252, 0)


def test_a_fault_of_the_image_names_the_field():
    with pytest.raises(InputError, match=r'^image_input: '):
        prepare_mono(DepthEstimationCommand(image_input=b''))


# --- what becomes of the result --------------------------------------------------------------


def test_a_relative_answer_is_handed_on_as_it_is(monkeypatch, device):
    got = answer(KnownNetwork(RAMP), monkeypatch, device)
    np.testing.assert_array_equal(got.depth, RAMP)
    assert (got.min_depth, got.max_depth, got.is_metric) == (1.0, 5.0, False)
    assert got.backend_used == 'depth-anything-v2-base'
    assert (got.picture, got.points, got.metric_depth, got.scale_fit) == (None,) * 4


def test_a_metric_answer_is_in_metres(monkeypatch):
    values = RAMP.copy()
    values[0] = np.nan
    got = answer(KnownNetwork(values, metric=True), monkeypatch)
    np.testing.assert_array_equal(got.depth, np.nan_to_num(values))
    np.testing.assert_array_equal(got.metric_depth, got.depth)
    assert got.is_metric
    assert (got.min_depth, got.max_depth) == (values[1, 0], 5.0)


@pytest.mark.parametrize(('metric', 'brightest'), [(False, 5.0), (True, 1.0)])
def test_in_the_picture_nearer_is_brighter(metric, brightest, monkeypatch):
    got = answer(KnownNetwork(RAMP, metric), monkeypatch, return_depth_image=True)
    assert got.picture.dtype == np.uint16
    assert (got.picture.min(), got.picture.max()) == (0, 65535)
    assert RAMP[got.picture == 65535].tolist() == [brightest]


def test_the_cloud_of_a_relative_answer_is_spread_over_the_range(monkeypatch, device):
    config = {'fx': 100.0, 'fy': 50.0, 'cx': 10.0, 'cy': 20.0, 'depth_trunc': 6.0}
    got = answer(KnownNetwork(RAMP), monkeypatch, device, return_point_cloud=True, config=config)
    z = 0.5 + (1 - (RAMP - 1) / 4) * 5.5
    u, v = 30, 7
    expected = [(u - 10) / 100 * z[v, u], (v - 20) / 50 * z[v, u], z[v, u]]
    assert got.points.shape == (HEIGHT * WIDTH, 4)
    np.testing.assert_allclose(got.points[v * WIDTH + u, :3], expected, rtol=1e-5)
    np.testing.assert_allclose(got.points[:, 2].min(), 0.5, rtol=1e-5)
    np.testing.assert_allclose(got.points[:, 2].max(), 6.0, rtol=1e-5)
    red, green, blue = map(int, IMAGE[v, u])
    assert got.points[v * WIDTH + u, 3:].view(np.uint32)[0] == red << 16 | green << 8 | blue


def test_the_cloud_of_a_metric_answer_ends_at_the_range(monkeypatch):
    config = {'depth_trunc': 3.0}
    got = answer(KnownNetwork(RAMP, True), monkeypatch, return_point_cloud=True, config=config)
    np.testing.assert_array_equal(got.points[:, 2], RAMP[RAMP < 3.0])
    assert got.max_depth == 5.0


def test_a_flat_relative_answer_is_no_fault(monkeypatch):
    both = {'return_point_cloud': True, 'return_depth_image': True}
    got = answer(KnownNetwork(2.0), monkeypatch, **both)
    assert (got.points[:, 2] == 10.0).all()
    assert not got.picture.any()


# --- measured depths -------------------------------------------------------------------------


def measured(count=200, scale=0.2, shift=0.05):
    """Points whose depths fit RAMP with this scale and shift."""
    rng = np.random.default_rng(0)
    u, v = rng.integers(0, WIDTH, count), rng.integers(0, HEIGHT, count)
    return np.stack([u, v, 1 / (scale * RAMP[v, u] + shift)], axis=1)


def test_measured_depths_make_a_relative_answer_metric(monkeypatch, device):
    fields = {'sparse_points': measured(), 'return_point_cloud': True}
    got = answer(KnownNetwork(RAMP), monkeypatch, device, **fields)
    truth = 1 / (0.2 * RAMP + 0.05)
    np.testing.assert_allclose(got.metric_depth, truth, rtol=1e-3)
    np.testing.assert_array_equal(got.depth, RAMP)
    assert not got.is_metric
    assert got.scale_fit.scale.scale == pytest.approx(0.2, rel=1e-3)
    np.testing.assert_allclose(got.points[:, 2], truth.ravel(), rtol=1e-3)


def test_measured_depths_that_do_not_fit_leave_the_answer_relative(monkeypatch):
    points = measured()
    points[:, 2] = np.random.default_rng(1).uniform(0.5, 50.0, len(points))
    got = answer(KnownNetwork(RAMP), monkeypatch, sparse_points=points, return_point_cloud=True)
    assert got.metric_depth is None
    assert got.scale_fit.scale is None
    assert 'agree' in got.scale_fit.reason
    assert got.points[:, 2].max() == pytest.approx(10.0)


def test_points_outside_the_image_or_without_depth_do_not_count(monkeypatch):
    useless = [
        *[(WIDTH, 3, 1.0), (-1, 3, 1.0), (3, HEIGHT, 1.0), (3, 3, 0.0), (3, 3, -1.0)],
        *[(3, 3, np.nan), (np.nan, 3, 1.0), (3, 3, np.inf)],
    ]
    points = np.concatenate([measured(), useless])
    got = answer(KnownNetwork(RAMP), monkeypatch, sparse_points=points)
    assert (got.scale_fit.points, got.scale_fit.inliers) == (200, 200)


@pytest.mark.parametrize('count', [0, 1])
def test_too_few_measured_depths_are_a_reason_and_no_crash(count, monkeypatch):
    got = answer(KnownNetwork(RAMP), monkeypatch, sparse_points=measured(count))
    assert got.metric_depth is None
    assert f'{count} points' in got.scale_fit.reason


def test_a_metric_checkpoint_needs_no_measured_depths(monkeypatch):
    got = answer(KnownNetwork(RAMP, metric=True), monkeypatch, sparse_points=measured())
    assert got.scale_fit is None
    np.testing.assert_array_equal(got.metric_depth, RAMP)


# --- the way through -------------------------------------------------------------------------


def test_a_run_says_what_was_asked_of_the_pipeline_and_what_came_back(monkeypatch):
    serve_network(monkeypatch, KnownNetwork(RAMP))
    own, seen = DepthAnythingSettings(model_backend='own.pth'), []

    def run(command):
        assert torch.get_num_threads() == 1
        result = MonoPipeline('cpu').run(command)
        seen.append((command, result))
        return result

    before = time.perf_counter()
    asked = request(model_backend='', return_raw_depth=False)
    got = answer_mono(asked, run, MonoSettings(depth_anything_v2=own))
    assert 0 < got.seconds < time.perf_counter() - before
    assert seen == [(got.command, got.result)]
    assert got.command.settings.checkpoint == got.answer.backend_used == 'own.pth'
    assert got.answer.raw_depth is None
    np.testing.assert_array_equal(got.answer.depth, RAMP)


def test_an_image_over_the_limits_never_reaches_the_pipeline():
    limits = PictureLimits(WIDTH * HEIGHT - 1, 2**20)
    with pytest.raises(InputError, match=r'^image_input: .*64x48'):
        answer_mono(request(), pytest.fail, limits=limits)
