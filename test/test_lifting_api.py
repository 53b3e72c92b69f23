# SPDX-License-Identifier: Apache-2.0
"""Depth from one image in Python: the documented examples, relative and metric answers."""

import importlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from known_answers import KnownNetwork, documented_examples, noise, serve, serve_network

from vizion3d_ros import lifting
from vizion3d_ros.contracts.errors import DepthError, InputError
from vizion3d_ros.engine import registry
from vizion3d_ros.lifting import (
    DepthEstimation,
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)

HEIGHT, WIDTH = 48, 64
IMAGE = noise(HEIGHT, WIDTH)
RAMP = np.linspace(1.0, 5.0, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
EXAMPLES = documented_examples('lifting')
PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch, tmp_path):
    """As a new process would have it: nothing loaded, the image in this folder."""
    importlib.reload(lifting)
    monkeypatch.chdir(tmp_path)
    assert cv2.imwrite('scene.png', IMAGE[..., ::-1])


def command(**fields):
    return DepthEstimationCommand(image_input=IMAGE, **fields)


# --- the documented examples -----------------------------------------------------------------


@pytest.mark.parametrize('title', EXAMPLES)
def test_a_documented_example_runs_as_it_is(title, monkeypatch, capsys):
    network = serve_network(monkeypatch, KnownNetwork(RAMP))
    names = {}
    exec(compile(EXAMPLES[title], title, 'exec'), names)
    if 'result' not in names:
        assert (names['cfg'].fx, names['cfg'].cy) == (525.0, 239.5)
        return
    result = names['result']
    assert (result.min_depth, result.max_depth) == (1.0, 5.0)
    models = [asked.depth_anything_v2.model_backend for asked in network.asked]
    chosen = '/models/depth_anything_v2_vitl.pth'
    assert models == [chosen] * ('custom' in title) + ['depth-anything-v2-base']
    assert bool(capsys.readouterr().out) == ('print' in EXAMPLES[title])


def test_the_files_that_examples_write_hold_what_was_found(monkeypatch):
    serve_network(monkeypatch, KnownNetwork(RAMP))
    exec(EXAMPLES['mono: depth image'], {})
    depth = cv2.imread('depth.png', cv2.IMREAD_UNCHANGED)
    np.testing.assert_allclose(depth, 65535 * (RAMP - 1) / 4, atol=1)
    exec(EXAMPLES['mono: point cloud'], {})
    import open3d

    points = np.asarray(open3d.io.read_point_cloud('scene.ply').points)
    np.testing.assert_allclose([points[:, 2].min(), points[:, 2].max()], [-10.0, -0.5], rtol=1e-5)


# --- the result ------------------------------------------------------------------------------


def test_everything_has_the_documented_type(monkeypatch):
    open3d = pytest.importorskip('open3d')
    serve_network(monkeypatch, KnownNetwork(RAMP))
    result = DepthEstimation().run(command(return_point_cloud=True, return_depth_image=True))
    assert type(result.depth_map) is type(result.depth_map[0]) is list
    np.testing.assert_array_equal(np.float32(result.depth_map), RAMP)
    np.testing.assert_array_equal(result.raw_depth, RAMP)
    assert isinstance(result.depth_image, open3d.geometry.Image)
    assert isinstance(result.point_cloud, open3d.geometry.PointCloud)
    assert (result.point_cloud_scale, result.is_metric, result.metric_depth) == (1.0, False, None)
    assert repr(result).startswith('DepthEstimationResult(64x48, 1 to 5 relative')


def test_what_is_not_asked_for_is_none_and_lists_come_late(monkeypatch):
    serve_network(monkeypatch, KnownNetwork(RAMP))
    result = DepthEstimation().run(command(return_raw_depth=False))
    assert (result.depth_image, result.raw_depth, result.point_cloud) == (None, None, None)
    assert 'depth_map' not in vars(result)
    assert result.depth_map is result.depth_map


def test_the_cloud_is_in_opengl_space(monkeypatch):
    serve_network(monkeypatch, KnownNetwork(RAMP, metric=True))
    config = DepthEstimationAdvanceConfig(fx=100.0, fy=50.0, cx=10.0, cy=20.0)
    result = DepthEstimation().run(command(return_point_cloud=True, advanced_config=config))
    u, v = 30, 7
    z = RAMP[v, u]
    points = np.asarray(result.point_cloud.points)
    np.testing.assert_allclose(points[v * WIDTH + u], [0.2 * z, 0.26 * z, -z], rtol=1e-5)
    assert result.is_metric
    np.testing.assert_array_equal(result.metric_depth, RAMP)


def test_measured_depths_give_metres(monkeypatch):
    serve_network(monkeypatch, KnownNetwork(RAMP))
    v, u = np.mgrid[2:HEIGHT:5, 2:WIDTH:5].reshape(2, -1)
    points = np.stack([u, v, 1 / (0.2 * RAMP[v, u] + 0.05)], axis=1)
    result = DepthEstimation().run(command(sparse_points=points))
    np.testing.assert_allclose(result.metric_depth, 1 / (0.2 * RAMP + 0.05), rtol=1e-3)
    assert (result.scale_fit.reason, result.scale_fit.inliers) == ('', len(points))


def test_without_open3d_only_its_objects_are_missing(monkeypatch):
    serve_network(monkeypatch, KnownNetwork(RAMP))
    monkeypatch.setitem(sys.modules, 'open3d', None)
    result = DepthEstimation().run(command(return_depth_image=True))
    assert result.max_depth == 5.0
    with pytest.raises(DepthError, match='pip install open3d'):
        _ = result.depth_image


# --- models and faults -----------------------------------------------------------------------


def test_threads_that_come_first_together_load_the_model_once(monkeypatch):
    made, start = [], threading.Barrier(8)

    def load():
        made.append(KnownNetwork(RAMP))
        threading.Event().wait(0.05)  # loading takes its time
        return made[-1]

    serve(monkeypatch, registry.MONO_BACKENDS, 'depth_anything_v2', load)

    def work(_):
        start.wait(PATIENCE_S)
        return DepthEstimation().run(command()).max_depth

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == [5.0] * 8
    assert [len(network.asked) for network in made] == [8]


def test_faults_are_named():
    with pytest.raises(InputError, match='expected a DepthEstimationCommand, got str'):
        DepthEstimation().run('scene.png')
    with pytest.raises(InputError, match=r'^image_input: nowhere\.png: no such file'):
        DepthEstimation().run(DepthEstimationCommand(image_input='nowhere.png'))
