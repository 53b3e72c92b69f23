# SPDX-License-Identifier: Apache-2.0
"""One command in, one result out, with a matcher whose answer is known."""

import numpy as np
import pytest
import torch

from vizion3d_ros.contracts.commands import Output, StereoCommand
from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.settings.node_settings import PointsSettings
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.engine import registry
from vizion3d_ros.engine.device import choose_device
from vizion3d_ros.pipeline import StereoPipeline

DEPTH, CLOUD = Output.DEPTH, Output.CLOUD


@pytest.fixture
def pipeline(device):
    return StereoPipeline(device)


@pytest.fixture
def command(stereo_pair, rig):
    return StereoCommand(
        left=stereo_pair.left,
        right=stereo_pair.right,
        rig=rig,
        settings=StereoSettings(min_depth=0.1, max_depth=1000.0),
        outputs={DEPTH, CLOUD},
    )


def changed(command, **changes):
    return command.model_copy(update=changes)


def numpy(tensor):
    return tensor.cpu().numpy()


def test_disparity_depth_and_points_of_a_known_scene(
    pipeline, command, stereo_pair, serve_disparity
):
    raw = stereo_pair.disparity.copy()
    raw[10, 20] = np.nan
    serve_disparity(raw)
    result = pipeline.run(command)
    np.testing.assert_array_equal(numpy(result.disparity), raw)
    np.testing.assert_allclose(numpy(result.depth_m), 10.0 / raw, rtol=1e-6)
    points = numpy(result.cloud.points)
    assert points.shape == (96, 160, 4)
    np.testing.assert_allclose(points[40, 80, :3], [0.5 / 100 * 0.5, -7.5 / 100 * 0.5, 0.5], 1e-5)
    assert np.isnan(points[10, 20, :3]).all()
    red, green, blue = map(int, command.left[40, 80])
    assert points[40, 80, 3:].view(np.uint32)[0] == red << 16 | green << 8 | blue


def test_the_result_says_what_ran_and_how_long(pipeline, command, stereo_pair, serve_disparity):
    serve_disparity(stereo_pair.disparity, span=(0.0, 64.0), step=0.25)
    result = pipeline.run(command)
    assert result.backend_used == 'known'
    assert result.rig == command.rig
    assert (result.min_disparity, result.max_disparity) == (0.25, 64.0)
    assert result.disparity_step == 0.25
    assert set(result.timings_ms) == {'match', 'geometry'}
    assert min(result.timings_ms.values()) >= 0
    assert numpy(result.confidence).max() == 0.75
    assert numpy(result.visibility).min() == 0.5
    assert result.confidence.device == result.depth_m.device == pipeline.device


@pytest.mark.parametrize('span', [(-20.0, 44.0), (-64.0, 0.0)])
def test_a_verged_rig_with_negative_raw_disparity(
    span, pipeline, command, verged_rig, serve_disparity
):
    raw = np.full((96, 160), -8.0, np.float32)
    raw[:, :40] = -11.9375  # corrected 1/16: the smallest step there is
    raw[:, 40:50] = -12.0  # corrected 0: infinitely far
    raw[:, 50:60] = -13.0
    serve_disparity(raw, span=span)
    result = pipeline.run(changed(command, rig=verged_rig))
    depth = numpy(result.depth_m)
    np.testing.assert_allclose(depth[:, 60:], 10.0 / 4.0, rtol=1e-6)
    np.testing.assert_allclose(depth[:, :40], 160.0, rtol=1e-6)
    assert np.isnan(depth[:, 40:60]).all()
    assert result.min_disparity == 1 / 16
    assert result.max_disparity == span[1] + 12


def test_the_searched_range_is_corrected_too(pipeline, command, verged_rig, serve_disparity):
    serve_disparity(np.full((96, 160), 4.0, np.float32), span=(2.0, 66.0))
    result = pipeline.run(changed(command, rig=verged_rig))
    assert (result.min_disparity, result.max_disparity) == (14.0, 78.0)


def test_min_disparity_separates_valid_from_invalid(pipeline, command, serve_disparity):
    raw = np.tile(np.float32([0.0, 1 / 16, 3.9375, 4.0]), (96, 40))
    serve_disparity(raw, span=(4.0, 68.0))
    result = pipeline.run(command)
    valid = numpy(~torch.isnan(result.disparity))
    np.testing.assert_array_equal(valid, raw >= 4.0)


@pytest.mark.parametrize(
    ('outputs', 'depth', 'cloud'),
    [(set(), False, False), ({DEPTH}, True, False), ({CLOUD}, True, True)],
)
def test_only_what_is_asked_for_is_made(
    outputs, depth, cloud, pipeline, command, stereo_pair, serve_disparity
):
    serve_disparity(stereo_pair.disparity)
    result = pipeline.run(changed(command, outputs=frozenset(outputs)))
    assert (result.depth_m is not None, result.cloud is not None) == (depth, cloud)


def test_without_a_baseline_there_is_disparity_only(
    pipeline, command, rig, stereo_pair, serve_disparity
):
    serve_disparity(stereo_pair.disparity)
    blind = rig.model_copy(update={'baseline_m': None})
    result = pipeline.run(changed(command, rig=blind))
    assert result.depth_m is None
    assert result.cloud is None
    np.testing.assert_array_equal(numpy(result.disparity), stereo_pair.disparity)


def test_points_follow_their_settings(pipeline, command, stereo_pair, serve_disparity):
    serve_disparity(stereo_pair.disparity)  # wall at 1.25 m, square at 0.5 m
    points = PointsSettings(organized=False, decimation=2, max_range=1.0)
    settings = command.settings.model_copy(update={'points': points})
    cloud = pipeline.run(changed(command, settings=settings)).cloud
    assert len(cloud.points) == (stereo_pair.disparity[::2, ::2] == 20).sum()


@pytest.mark.parametrize(('least', 'share'), [(0.0, 1.0), (0.75, 1.0), (0.76, 0.0)])
def test_matches_of_lower_confidence_are_dropped_from_all_maps(
    least, share, pipeline, command, stereo_pair, serve_disparity
):
    serve_disparity(stereo_pair.disparity)  # at a confidence of 0.75
    settings = command.settings.model_copy(update={'min_confidence': least})
    result = pipeline.run(changed(command, settings=settings))
    for values in (result.disparity, result.depth_m, result.cloud.points[..., 2]):
        assert float(torch.isfinite(values).float().mean()) == share
    assert numpy(result.confidence).max() == 0.75, 'which is what one chooses the limit by'


def test_a_map_that_is_all_gaps_gives_no_point(pipeline, command, serve_disparity):
    serve_disparity(np.full((96, 160), np.nan, np.float32))
    settings = StereoSettings(points=PointsSettings(organized=False))
    result = pipeline.run(changed(command, settings=settings))
    assert torch.isnan(result.depth_m).all()
    assert result.cloud.points.shape == (0, 4)


def test_inputs_and_the_matchers_answer_are_left_alone(
    pipeline, command, stereo_pair, serve_disparity
):
    raw = stereo_pair.disparity.copy()
    left = command.left.copy()
    serve_disparity(raw)
    pipeline.run(command)
    np.testing.assert_array_equal(raw, stereo_pair.disparity)
    np.testing.assert_array_equal(command.left, left)


def test_a_padded_view_of_a_message_will_do(pipeline, command, stereo_pair, serve_disparity):
    serve_disparity(stereo_pair.disparity)
    rows = np.zeros((96, 500), np.uint8)
    view = rows[:, :480].reshape(96, 160, 3)
    view[:] = stereo_pair.left
    whole = pipeline.run(command).cloud.points
    padded = pipeline.run(changed(command, left=view)).cloud.points
    assert whole.view(torch.int32).equal(padded.view(torch.int32))


def test_the_matcher_is_loaded_once(command, stereo_pair, serve_disparity):
    pipeline = StereoPipeline('cpu')
    serve_disparity(stereo_pair.disparity)
    first = pipeline.backend('sgbm')
    pipeline.run(command)
    assert pipeline.backend('sgbm') is first


def test_an_unknown_matcher_lists_the_known_ones():
    with pytest.raises(BackendError, match=r"unknown backend 'magic': choose one of \['"):
        registry.load_stereo_backend('magic')
    with pytest.raises(BackendError, match='magic'):
        StereoPipeline('cpu').backend('magic')


def test_every_registered_matcher_can_be_loaded():
    for name in registry.STEREO_BACKENDS:
        assert callable(registry.load_stereo_backend(name).match)


def test_device_auto_takes_a_gpu_when_there_is_one():
    assert choose_device('auto').type == ('cuda' if torch.cuda.is_available() else 'cpu')
    assert choose_device('cpu') == torch.device('cpu')


@pytest.mark.parametrize('name', ['cuda', 'cuda:0', 'cuda:99'])
def test_a_gpu_that_is_not_there_is_named(name):
    if torch.cuda.is_available() and name != 'cuda:99':
        pytest.skip('this GPU is there')
    with pytest.raises(BackendError, match=f"device '{name}' was asked for but torch sees"):
        StereoPipeline(name)
