# SPDX-License-Identifier: Apache-2.0
"""Stereo depth from Python: the documented examples, one load per process, true distances."""

import importlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import s2m2_rules as rules
import torch
from known_answers import KnownMatcher, documented_examples, noise, serve, serve_matcher

from vizion3d_ros import stereo
from vizion3d_ros.contracts.errors import BackendError, CheckpointError, DepthError, InputError
from vizion3d_ros.engine import registry
from vizion3d_ros.engine.networks import s2m2
from vizion3d_ros.stereo import StereoDepth, StereoDepthAdvancedConfig, StereoDepthCommand

EXAMPLES = documented_examples('stereo')
HEIGHT, WIDTH = 48, 64
LEFT, RIGHT = noise(HEIGHT, WIDTH, 1), noise(HEIGHT, WIDTH, 2)
PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch, tmp_path):
    """As a new process would have it: nothing loaded, nothing cached, the pair in this folder."""
    importlib.reload(stereo)
    monkeypatch.setenv('VIZION3D_MODEL_CACHE', str(tmp_path / 'cache'))
    monkeypatch.chdir(tmp_path)
    for name, image in (('left.png', LEFT), ('right.png', RIGHT)):
        assert cv2.imwrite(name, image[..., ::-1])


@pytest.fixture
def small_checkpoint(tmp_path):
    """A real S2M2-S, its weights made by rule."""
    path = tmp_path / 'rule_s.pth'
    torch.save(rules.state_dict('S', 103), path)
    return str(path)


def command(**fields):
    return StereoDepthCommand(left_image=LEFT, right_image=RIGHT, **fields)


# --- the documented examples -----------------------------------------------------------------


@pytest.mark.parametrize('title', EXAMPLES)
def test_a_documented_example_runs_as_it_is(title, monkeypatch, capsys):
    serve_matcher(monkeypatch, KnownMatcher(50.0, checkpoint='/models/s2m2.pth'))
    names = {}
    exec(compile(EXAMPLES[title], title, 'exec'), names)
    if 'result' not in names:
        assert names['cfg'].baseline == 100.0
        return
    result = names['result']
    focal_baseline = 1733.74 * 0.53662 if 'focal_length' in EXAMPLES[title] else 100.0
    assert result.min_depth == pytest.approx(focal_baseline / 50, rel=1e-6)
    assert result.max_depth >= result.min_depth
    assert result.backend_used == '/models/s2m2.pth'
    assert bool(capsys.readouterr().out) == ('print' in EXAMPLES[title])


def test_the_files_that_examples_write_hold_what_was_found(monkeypatch, tmp_path):
    raw = np.full((HEIGHT, WIDTH), 50.0, np.float32)
    raw[0] = 25.0
    serve_matcher(monkeypatch, KnownMatcher(raw))
    exec(EXAMPLES['stereo: depth image'], {})
    depth = cv2.imread('depth.png', cv2.IMREAD_UNCHANGED)
    assert (depth.dtype, depth.shape) == (np.uint16, (HEIGHT, WIDTH))
    assert (depth[0] == 0).all() and (depth[1:] == 65535).all()
    exec(EXAMPLES['stereo: all outputs'], {})
    import open3d

    points = np.asarray(open3d.io.read_point_cloud('scene.ply').points)
    assert sorted(set(points[:, 2].round(6))) == [-4.0, -2.0]


# --- the result ------------------------------------------------------------------------------


def test_everything_has_the_documented_type(monkeypatch):
    open3d = pytest.importorskip('open3d')
    raw = np.full((HEIGHT, WIDTH), 50.0, np.float32)
    raw[3, 4] = np.nan
    serve_matcher(monkeypatch, KnownMatcher(raw))
    result = StereoDepth().run(command(return_point_cloud=True, return_depth_colormap=True))
    assert type(result.depth_map) is type(result.depth_map[0]) is list
    assert type(result.depth_map[3][4]) is float
    assert result.depth_map[3][4] == result.disparity_map[3][4] == 0.0
    assert np.array(result.depth_map).shape == np.array(result.disparity_map).shape
    np.testing.assert_array_equal(np.float32(result.depth_map), result.raw_depth)
    assert (result.raw_depth.dtype, result.raw_depth.shape) == (np.float32, (HEIGHT, WIDTH))
    assert isinstance(result.depth_image, open3d.geometry.Image)
    assert isinstance(result.point_cloud, open3d.geometry.PointCloud)
    assert result.depth_colormap.shape == (HEIGHT, WIDTH, 3)
    assert result.point_cloud_scale == 1.0
    assert repr(result).startswith('StereoDepthResult(64x48, 2 to 2 m')


def test_what_is_not_asked_for_is_none(monkeypatch):
    serve_matcher(monkeypatch, KnownMatcher(50.0))
    result = StereoDepth().run(command(return_depth_image=False, return_raw_depth=False))
    assert (result.depth_image, result.raw_depth, result.point_cloud) == (None, None, None)
    assert result.depth_colormap is None
    assert len(result.depth_map) == HEIGHT


def test_lists_and_objects_are_made_once_and_late(monkeypatch):
    serve_matcher(monkeypatch, KnownMatcher(50.0))
    result = StereoDepth().run(command(return_point_cloud=True))
    lazy = ('depth_map', 'disparity_map', 'depth_image', 'point_cloud')
    assert not vars(result).keys() & set(lazy)
    for name in lazy:
        assert getattr(result, name) is getattr(result, name)


def test_the_cloud_is_in_opengl_space(monkeypatch):
    serve_matcher(monkeypatch, KnownMatcher(50.0))
    config = StereoDepthAdvancedConfig(focal_length=1000.0, cx=10.0, cy=20.0)
    cloud = StereoDepth().run(command(return_point_cloud=True, advanced_config=config)).point_cloud
    u, v = 30, 7
    expected = [20 / 1000 * 2, 13 / 1000 * 2, -2.0]
    np.testing.assert_allclose(np.asarray(cloud.points)[v * WIDTH + u], expected, rtol=1e-5)
    np.testing.assert_array_equal(np.asarray(cloud.colors), LEFT.reshape(-1, 3) / 255)


def test_without_open3d_only_its_objects_are_missing(monkeypatch):
    serve_matcher(monkeypatch, KnownMatcher(50.0))
    monkeypatch.setitem(sys.modules, 'open3d', None)
    result = StereoDepth().run(command(return_point_cloud=True))
    assert result.min_depth == 2.0
    for name in ('depth_image', 'point_cloud'):
        with pytest.raises(DepthError, match='pip install open3d'):
            getattr(result, name)


# --- models ----------------------------------------------------------------------------------


def test_threads_that_come_first_together_load_the_model_once(monkeypatch):
    count, start = 8, threading.Barrier(8)
    made, matcher = [], KnownMatcher(50.0)

    def load():
        made.append(threading.get_ident())
        threading.Event().wait(0.05)  # loading takes its time
        return matcher

    serve(monkeypatch, registry.STEREO_BACKENDS, 's2m2', load)

    def work(_):
        start.wait(PATIENCE_S)
        return StereoDepth().run(command()).min_depth

    with ThreadPoolExecutor(count) as threads:
        assert list(threads.map(work, range(count))) == [2.0] * count
    assert len(made) == 1
    assert len(matcher.asked) == count


def test_models_stay_loaded_side_by_side(monkeypatch):
    made = []

    def load():
        made.append(KnownMatcher(50.0))
        return made[-1]

    serve(monkeypatch, registry.STEREO_BACKENDS, 's2m2', load)
    for model in ('a.pth', 'b.pth', 'a.pth', 'b.pth'):
        StereoDepth().run(command(model_backend=model))
    assert [[s.s2m2.model_backend for s in m.asked] for m in made] == [
        ['a.pth'] * 2,
        ['b.pth'] * 2,
    ]


def test_the_default_comes_from_the_cache_without_a_network(tmp_path):
    cache = tmp_path / 'cache'
    cache.mkdir()
    torch.save(rules.state_dict('S', 103), cache / 'stereo-depth-s2m2-L.pth')
    with pytest.raises(CheckpointError, match='is of variant S, but s2m2-L has to be L'):
        StereoDepth().run(command())


def test_a_checkpoint_of_ones_own_runs_through_the_whole_network(small_checkpoint):
    result = StereoDepth(device='cpu').run(command(model_backend=small_checkpoint))
    assert result.backend_used == small_checkpoint
    assert result.raw_depth.shape == (HEIGHT, WIDTH)
    valid = result.raw_depth > 0
    assert valid.mean() > 0.5
    disparity = np.float32(result.disparity_map)
    np.testing.assert_allclose(result.raw_depth[valid], 100 / disparity[valid], rtol=1e-5)


def test_semi_global_matching_needs_no_checkpoint():
    wall = cv2.GaussianBlur(noise(96, 200, 5), (0, 0), 1.2)
    config = StereoDepthAdvancedConfig(
        focal_length=100.0, cx=80, cy=48, min_depth_mm=400, max_depth_mm=4000
    )
    pair = {'left_image': wall[:, 8:168].copy(), 'right_image': wall[:, 16:176].copy()}
    result = StereoDepth().run(
        StereoDepthCommand(**pair, model_backend='opencv-sgbm', advanced_config=config)
    )
    assert result.backend_used == 'opencv-sgbm'
    found = result.raw_depth[result.raw_depth > 0]
    assert found.size > 0.7 * result.raw_depth.size
    assert np.median(found) == pytest.approx(100 * 0.1 / 8, rel=0.01)


def test_what_an_answer_says_of_itself_is_a_warning_in_the_log(caplog):
    result = StereoDepth().run(command(model_backend='opencv-sgbm'))
    assert 'gives no calibration' in result.message
    assert caplog.records[-1].getMessage() == result.message


def test_a_plane_keeps_its_distance_through_the_resize(monkeypatch, small_checkpoint):
    """1024x768 is matched at 720x540: the true ratio counts, not the one that was asked for."""
    metres, focal_px, baseline_mm = 2.5, 1100.0, 120.0
    disparity = focal_px * baseline_mm / 1000 / metres

    def plane(self, left, right):
        """Stands for the network: a plane, seen at the size that the network gets."""
        assert tuple(left.shape) == (1, 3, 544, 736)
        return left[:, :1] * 0 + disparity * 720 / 1024, left[:, :1] * 0 + 1, left[:, :1] * 0 + 1

    with torch.device('meta'):
        monkeypatch.setattr(type(s2m2.build('S')), 'forward', plane)
    image = noise(768, 1024)
    config = StereoDepthAdvancedConfig(
        focal_length=focal_px, cx=511.5, cy=383.5, baseline=baseline_mm
    )
    result = StereoDepth('cpu').run(
        StereoDepthCommand(
            left_image=image,
            right_image=image,
            model_backend=small_checkpoint,
            return_point_cloud=True,
            advanced_config=config,
        )
    )
    np.testing.assert_allclose(result.raw_depth, metres, rtol=3e-3)
    points = np.asarray(result.point_cloud.points)
    assert len(points) == 1024 * 768
    np.testing.assert_allclose(points[:, 2], -metres, rtol=3e-3)
    corner = [-511.5 / focal_px * metres, 383.5 / focal_px * metres]
    np.testing.assert_allclose(points[0, :2], corner, rtol=3e-3)


# --- faults ----------------------------------------------------------------------------------


def test_only_a_command_can_be_run():
    with pytest.raises(InputError, match='expected a StereoDepthCommand, got dict'):
        StereoDepth().run({'left_image': 'left.png'})


def test_a_missing_file_is_named():
    missing = StereoDepthCommand(left_image='left.png', right_image='nowhere.png')
    with pytest.raises(InputError, match=r'^right_image: nowhere\.png: no such file'):
        StereoDepth().run(missing)


def test_a_checkpoint_that_is_not_there_is_an_error_and_the_next_call_works(monkeypatch):
    with pytest.raises(BackendError, match=r"'missing\.pth' is neither a file"):
        StereoDepth().run(command(model_backend='missing.pth'))
    serve_matcher(monkeypatch, KnownMatcher(50.0))
    assert StereoDepth().run(command()).min_depth == 2.0


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(BackendError, match="device 'cuda:99' was asked for"):
        StereoDepth(device='cuda:99')
    for name in ('gpu', None, 'cuda:x'):
        with pytest.raises(BackendError, match=f'auto, cpu, cuda or cuda:N, got {name!r}'):
            StereoDepth(device=name)
