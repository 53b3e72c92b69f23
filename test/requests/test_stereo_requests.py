# SPDX-License-Identifier: Apache-2.0
"""Stereo requests: what the pipeline is told, and what becomes of its result."""

import time

import numpy as np
import pytest
import torch
from known_answers import KnownMatcher, noise, serve_matcher

from vizion3d_ros.contracts.commands import Output
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.stereo_settings import (
    S2m2Settings,
    SgbmSettings,
    StereoSettings,
)
from vizion3d_ros.contracts.stereo_request import (
    DEFAULT_STEREO_BACKEND,
    StereoDepthAdvancedConfig,
    StereoDepthCommand,
)
from vizion3d_ros.files.picture import PictureLimits
from vizion3d_ros.geometry.colormap import colorize
from vizion3d_ros.pipeline import StereoPipeline
from vizion3d_ros.requests.stereo import answer_stereo, prepare_stereo

HEIGHT, WIDTH = 48, 64
LEFT, RIGHT = noise(HEIGHT, WIDTH, 1), noise(HEIGHT, WIDTH, 2)
NODE = StereoSettings(
    backend='s2m2',
    min_depth=0.3,
    max_depth=7.0,
    sgbm=SgbmSettings(disparity_range=64, scale=0.5),
    s2m2=S2m2Settings(model_backend='s2m2-S', sha256='a' * 64, max_width=640, max_height=480),
)


def request(shape=(HEIGHT, WIDTH), **fields):
    config = StereoDepthAdvancedConfig(**fields.pop('config', {}))
    images = {'left_image': LEFT, 'right_image': RIGHT}
    if shape != (HEIGHT, WIDTH):
        images = dict.fromkeys(images, np.zeros(shape, np.uint8))
    return StereoDepthCommand(**images, advanced_config=config, **fields)


def answer(matcher, monkeypatch, device='cpu', **fields):
    """The answer to a request, through the pipeline."""
    for name in ('s2m2', 'sgbm'):
        serve_matcher(monkeypatch, matcher, name)
    return answer_stereo(request(**fields), StereoPipeline(device).run).answer


def settings(base=None, **fields):
    return prepare_stereo(request(**fields), base or StereoSettings()).settings


# --- what the pipeline is told ---------------------------------------------------------------


def test_millimetres_become_metres_once():
    config = {'focal_length': 900.0, 'cx': 31.0, 'cy': 20.0, 'baseline': 120.0, 'doffs': 3.5}
    rig = prepare_stereo(request(config=config)).rig
    assert (rig.left.width, rig.left.height) == (WIDTH, HEIGHT)
    assert (rig.left.fx, rig.left.fy, rig.left.cx, rig.left.cy) == (900.0, 900.0, 31.0, 20.0)
    assert (rig.baseline_m, rig.doffs) == (0.12, 3.5)


def test_fx_and_fy_may_differ():
    left = prepare_stereo(request(config={'focal_length': 900.0, 'fy': 905.0})).rig.left
    assert (left.fx, left.fy) == (900.0, 905.0)


@pytest.mark.parametrize(
    ('config', 'told'),
    [
        (
            {'cx': 0.5, 'cy': 0.5},
            r'.* point \(0\.5, 0\.5\) px.*give cx and cy in pixels',
        ),
        ({'focal_length': 1e-3}, r'focal_length = 0\.001 px.*give focal lengths in pixels'),
    ],
    ids=str,
)
def test_a_camera_that_cannot_be_is_refused(config, told):
    with pytest.raises(InputError, match=rf'^advanced_config: has {told}'):
        prepare_stereo(request(config=config))


@pytest.mark.parametrize('points', [False, True])
def test_points_are_asked_for_only_if_they_are_wanted(points):
    outputs = prepare_stereo(request(return_point_cloud=points)).outputs
    assert outputs == ({Output.DEPTH, Output.CLOUD} if points else {Output.DEPTH})


def test_the_default_is_the_neural_matcher_at_any_depth():
    asked = settings()
    assert asked.backend == 's2m2'
    assert asked.s2m2.model_backend == 's2m2-L'
    assert (asked.min_depth, asked.max_depth) == (0.01, 10_000.0)
    assert (asked.s2m2.max_width, asked.s2m2.max_height) == (960, 540)


def test_without_a_choice_the_node_decides():
    asked = settings(NODE, model_backend='')
    assert asked.backend == 's2m2'
    assert asked.s2m2 == NODE.s2m2
    semiglobal = settings(NODE.model_copy(update={'backend': 'sgbm'}), model_backend='')
    assert (semiglobal.backend, semiglobal.sgbm) == ('sgbm', NODE.sgbm)
    assert (semiglobal.min_depth, semiglobal.max_depth) == (0.3, 7.0)


def test_another_checkpoint_leaves_the_rest_as_the_node_has_it():
    asked = settings(NODE, model_backend='/models/a.pth').s2m2
    assert (asked.model_backend, asked.sha256, asked.max_width) == ('/models/a.pth', '', 640)


def test_the_address_of_the_nodes_checkpoint_loads_nothing_new():
    node = NODE.model_copy(update={'s2m2': S2m2Settings(model_backend='s2m2-L', sha256='b' * 64)})
    assert settings(node, model_backend=DEFAULT_STEREO_BACKEND).s2m2 == node.s2m2


@pytest.mark.parametrize(
    ('shape', 'scale', 'expected'),
    [
        ((720, 1280), 0.5, (640, 360)),
        ((720, 1280), 1.0, (1280, 720)),
        ((768, 1024), 0.703, (720, 540)),
        ((100, 200), 0.1, (64, 64)),
    ],
)
def test_the_scale_factor_is_a_share_of_the_image(shape, scale, expected):
    asked = settings(shape=shape, config={'scale_factor': scale}).s2m2
    assert (asked.max_width, asked.max_height) == expected


def test_semi_global_matching_searches_the_depths_that_are_given():
    plain = settings(model_backend='opencv-sgbm')
    assert (plain.backend, plain.min_depth, plain.max_depth) == ('sgbm', 0.5, 50.0)
    near = {'min_depth_mm': 300.0, 'max_depth_mm': 600.0, 'scale_factor': 0.25}
    near |= {'focal_length': 100.0}
    asked = settings(NODE, model_backend='opencv-sgbm', config=near)
    assert (asked.min_depth, asked.max_depth) == (0.3, 0.6)
    assert (asked.sgbm.disparity_range, asked.sgbm.scale) == (0, 0.25)


def test_the_neural_matcher_takes_depths_as_well():
    asked = settings(config={'min_depth_mm': 300.0})
    assert (asked.min_depth, asked.max_depth) == (0.3, 10_000.0)


def test_depths_that_do_not_fit_the_node_are_a_clear_error():
    with pytest.raises(InputError, match=r'max_depth_mm must be larger .* got 7000 and 8000'):
        settings(NODE, model_backend='opencv-sgbm', config={'min_depth_mm': 8000.0})


def test_thresholds_and_range_go_to_the_points():
    config = {'z_far': 9.0, 'conf_threshold': 0.3, 'occ_threshold': 0.6}
    points = settings(config=config).points
    assert (points.organized, points.decimation, points.max_range) == (False, 1, 9.0)
    assert (points.min_confidence, points.min_visibility) == (0.3, 0.6)
    assert settings(config={'z_far': 1e9}).points.max_range == 0  # keep all


# --- what becomes of the result --------------------------------------------------------------


def test_depth_and_disparity_of_known_matches(monkeypatch, device):
    raw = np.full((HEIGHT, WIDTH), 50.0, np.float32)
    raw[:, :10], raw[:5] = 25.0, np.nan
    got = answer(KnownMatcher(raw), monkeypatch, device)
    expected = np.where(np.isnan(raw), 0, 100 / raw)
    np.testing.assert_allclose(got.depth, expected, rtol=1e-6)
    np.testing.assert_array_equal(got.disparity, np.nan_to_num(raw))
    assert (got.depth.dtype, got.disparity.dtype) == (np.float32, np.float32)
    assert (got.min_depth, got.max_depth) == (2.0, 4.0)
    assert got.backend_used == 's2m2-L'
    assert (got.points, got.depth_colormap) == (None, None)


def test_doffs_counts_before_validity_and_not_in_the_disparity(monkeypatch):
    raw = np.full((HEIGHT, WIDTH), -30.0, np.float32)
    raw[:, :10] = -60.0
    config = {'doffs': 50.0, 'baseline': 100.0, 'focal_length': 1000.0}
    got = answer(KnownMatcher(raw), monkeypatch, config=config)
    np.testing.assert_allclose(got.depth[:, 10:], 5.0, rtol=1e-6)
    np.testing.assert_allclose(got.disparity[:, 10:], -30.0, rtol=1e-6)
    assert not got.depth[:, :10].any() and not got.disparity[:, :10].any()


def test_without_a_match_everything_is_zero(monkeypatch):
    got = answer(KnownMatcher(np.nan), monkeypatch, return_point_cloud=True)
    assert not got.depth.any() and not got.disparity.any() and not got.picture.any()
    assert (got.min_depth, got.max_depth, len(got.points)) == (0.0, 0.0, 0)


def test_the_picture_follows_the_formula_of_the_contract(monkeypatch):
    raw = np.full((HEIGHT, WIDTH), 50.0, np.float32)
    raw[0], raw[1], raw[2] = 20.0, 25.0, np.nan
    picture = answer(KnownMatcher(raw), monkeypatch).picture
    assert (picture.dtype, picture.shape) == (np.uint16, (HEIGHT, WIDTH))
    rows = picture[[0, 1, 2, 3], 5]
    np.testing.assert_array_equal(rows, [0, round(65535 * (1 - 2 / 3)), 0, 65535])
    assert answer(KnownMatcher(raw), monkeypatch, return_depth_image=False).picture is None


def test_points_lie_in_the_optical_frame_with_their_colours(monkeypatch, device):
    config = {'focal_length': 1000.0, 'fy': 500.0, 'cx': 10.0, 'cy': 20.0}
    got = answer(KnownMatcher(50.0), monkeypatch, device, return_point_cloud=True, config=config)
    assert (got.points.shape, got.points.dtype) == ((HEIGHT * WIDTH, 4), np.float32)
    u, v = 30, 7
    point = got.points[v * WIDTH + u]
    np.testing.assert_allclose(point[:3], [20 / 1000 * 2, -13 / 500 * 2, 2.0], rtol=1e-5)
    red, green, blue = map(int, LEFT[v, u])
    assert point[3:].view(np.uint32)[0] == red << 16 | green << 8 | blue


@pytest.mark.parametrize(
    ('config', 'kept'),
    [
        ({'z_far': 2.0}, 0),
        ({'z_far': 2.001}, WIDTH * HEIGHT),
        ({'conf_threshold': 0.75}, WIDTH * HEIGHT),
        ({'conf_threshold': 0.76}, 0),
        ({'occ_threshold': 0.75}, WIDTH * HEIGHT),
        ({'occ_threshold': 0.76}, 0),
        ({'conf_threshold': 0.0, 'occ_threshold': 0.0}, WIDTH * HEIGHT),
    ],
)
def test_a_point_is_kept_within_range_and_at_the_thresholds(config, kept, monkeypatch):
    got = answer(KnownMatcher(50.0), monkeypatch, return_point_cloud=True, config=config)
    assert len(got.points) == kept
    assert got.depth.all()


def test_colours_span_the_depths_that_are_given_or_found(monkeypatch):
    raw = np.full((HEIGHT, WIDTH), 50.0, np.float32)
    raw[0], raw[1] = 25.0, np.nan
    depth = torch.from_numpy(100 / raw)
    for config, span in (({}, (2.0, 4.0)), ({'min_depth_mm': 1000.0}, (1.0, 4.0))):
        got = answer(KnownMatcher(raw), monkeypatch, return_depth_colormap=True, config=config)
        np.testing.assert_array_equal(got.depth_colormap, colorize(depth, *span).numpy())
    assert not got.depth_colormap[1].any() and got.depth_colormap[0].any()


def test_semi_global_matching_says_what_it_is(monkeypatch):
    got = answer(KnownMatcher(50.0), monkeypatch, model_backend='opencv-sgbm')
    assert got.backend_used == 'opencv-sgbm'


@pytest.mark.parametrize('name', ['sgbm', 'opencv_sgbm', 'OpenCV-SGBM'])
def test_another_name_of_semi_global_matching_is_answered_with_the_right_one(name):
    with pytest.raises(InputError, match=f"got '{name}', did you mean 'opencv-sgbm'"):
        prepare_stereo(request(model_backend=name))


def test_faults_of_images_name_the_field():
    for field in ('left_image', 'right_image'):
        images = {'left_image': LEFT, 'right_image': RIGHT, field: b'junk'}
        with pytest.raises(InputError, match=f'^{field}: '):
            prepare_stereo(StereoDepthCommand(**images))


# --- the way through -------------------------------------------------------------------------


def test_a_run_says_what_was_asked_of_the_pipeline_and_what_came_back(monkeypatch):
    serve_matcher(monkeypatch, KnownMatcher(50.0))
    seen = []

    def run(command):
        assert torch.get_num_threads() == 1
        result = StereoPipeline('cpu').run(command)
        seen.append((command, result))
        return result

    before = time.perf_counter()
    got = answer_stereo(request(model_backend='', return_raw_depth=False), run, NODE)
    assert 0 < got.seconds < time.perf_counter() - before
    assert seen == [(got.command, got.result)]
    assert got.command.settings.s2m2 == NODE.s2m2
    assert got.answer.raw_depth is None
    np.testing.assert_array_equal(got.answer.depth, got.result.depth_m)


def test_images_over_the_limits_never_reach_the_pipeline():
    limits = PictureLimits(WIDTH * HEIGHT - 1, 2**20)
    with pytest.raises(InputError, match=r'^left_image: .*64x48'):
        answer_stereo(request(), pytest.fail, limits=limits)
