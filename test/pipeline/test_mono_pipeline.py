# SPDX-License-Identifier: Apache-2.0
"""One image in, one result out, with a network whose answer is known."""

import numpy as np
import pytest
from known_answers import KnownNetwork, noise, serve_network

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.commands import MonoCommand, Output
from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.metric_scale import MetricScale, ScaleUsed, SparseDepth
from vizion3d_ros.contracts.settings.mono_settings import (
    DepthAnythingSettings,
    MonoSettings,
    SparseDepthSettings,
)
from vizion3d_ros.contracts.settings.node_settings import PointsSettings
from vizion3d_ros.engine import registry
from vizion3d_ros.pipeline import MonoPipeline

DEPTH, CLOUD = Output.DEPTH, Output.CLOUD
SCALE = MetricScale(scale=0.2, shift=0.05)
CAMERA = Intrinsics(width=6, height=4, fx=10.0, fy=10.0, cx=2.5, cy=1.5)
DEPTH_M = np.linspace(0.6, 20.0, 24, dtype=np.float32).reshape(4, 6)
MEASURED = SparseDepth(
    *(np.float32(a).ravel() for a in (*np.meshgrid(range(6), range(4)), DEPTH_M))
)
RELATIVE = (1 / DEPTH_M - np.float32(SCALE.shift)) / np.float32(SCALE.scale)


@pytest.fixture
def pipeline(device):
    return MonoPipeline(device)


@pytest.fixture
def serve(monkeypatch):
    def serve(values, metric=False):
        return serve_network(monkeypatch, KnownNetwork(values, metric))

    return serve


def command(**changes):
    settings = MonoSettings(min_depth=0.1, max_depth=50.0)
    given = {
        'image': noise(4, 6),
        'camera': CAMERA,
        'settings': settings,
        'outputs': {DEPTH, CLOUD},
    }
    return MonoCommand(**{**given, **changes})


def known_scale(relative, command):
    """A scaler that knows."""
    return ScaleUsed(SCALE, '')


def numpy(tensor):
    return tensor.cpu().numpy()


def test_a_metric_answer_is_depth_and_points_and_asks_for_no_scale(pipeline, serve):
    serve(DEPTH_M, metric=True)
    asked = []
    given = command(sparse_depth=MEASURED)
    result = pipeline.run(given, lambda *known: asked.append(known))
    assert result.relative is None and result.scale is None
    np.testing.assert_array_equal(numpy(result.depth_m), DEPTH_M)
    points = numpy(result.cloud.points)
    z = DEPTH_M[3, 4]
    np.testing.assert_allclose(points[3, 4, :3], [1.5 / 10 * z, 1.5 / 10 * z, z], 1e-6)
    red, green, blue = map(int, given.image[3, 4])
    assert points[3, 4, 3:].view(np.uint32)[0] == red << 16 | green << 8 | blue
    assert asked == []


def test_a_relative_answer_without_a_scale_stays_relative(pipeline, serve):
    serve(RELATIVE)
    for scaler in ((), (lambda relative, command: ScaleUsed(None, 'none came'),)):
        result = pipeline.run(command(), *scaler)
        assert result.depth_m is None and result.cloud is None
        assert result.scale.scale is None and 'came' in result.scale.reason
        np.testing.assert_array_equal(numpy(result.relative), RELATIVE)


def test_a_relative_answer_with_a_scale_is_metric_and_stays_relative_beside_it(pipeline, serve):
    serve(RELATIVE)
    asked = []

    def scaler(relative, command):
        asked.append((numpy(relative), command))
        return known_scale(relative, command)

    given = command()
    result = pipeline.run(given, scaler)
    [(relative, told)] = asked
    np.testing.assert_array_equal(relative, RELATIVE)
    assert told is given
    assert result.scale == ScaleUsed(SCALE, '')
    np.testing.assert_array_equal(numpy(result.relative), RELATIVE)
    np.testing.assert_allclose(numpy(result.depth_m), DEPTH_M, 1e-5)
    np.testing.assert_allclose(numpy(result.cloud.points)[..., 2], DEPTH_M, 1e-5)


def test_sparse_depth_of_the_image_gives_the_scale_and_the_result_says_how_well(pipeline, serve):
    serve(RELATIVE)
    sparse = SparseDepthSettings(min_points=20)
    given = command(settings=MonoSettings(sparse_depth=sparse), sparse_depth=MEASURED)
    result = pipeline.run(given)
    np.testing.assert_allclose(numpy(result.depth_m), DEPTH_M, 1e-3)
    used, fit = result.scale, result.scale.fit
    assert (used.scale.scale, used.scale.shift) == pytest.approx((0.2, 0.05), rel=1e-3)
    assert (used.reason, used.age) == ('', 0.0)
    assert (fit.points, fit.inliers, fit.cells) == (24, 24, 16) and fit.residual < 1e-3
    assert pipeline.run(given.model_copy(update={'sparse_depth': None})).depth_m is None


def test_sparse_depth_that_does_not_fit_gives_the_reason(pipeline, serve):
    serve(RELATIVE)
    result = pipeline.run(command(sparse_depth=MEASURED))
    assert result.depth_m is None
    assert (result.scale.scale, result.scale.age) == (None, None)
    assert '24 points' in result.scale.reason and 'min_points' in result.scale.reason


def test_no_scale_is_sought_if_nothing_metric_is_asked_for(pipeline, serve):
    serve(RELATIVE)
    asked = []
    given = command(outputs=set(), sparse_depth=MEASURED)
    result = pipeline.run(given, lambda *known: asked.append(known))
    assert result.depth_m is None and result.scale is None
    assert asked == []


@pytest.mark.parametrize('metric', [True, False])
def test_depth_outside_the_limits_is_no_measurement(pipeline, serve, metric):
    serve(DEPTH_M if metric else RELATIVE, metric)
    settings = MonoSettings(min_depth=2.0, max_depth=10.0)
    result = pipeline.run(command(settings=settings), known_scale)
    inside = (DEPTH_M >= 2) & (DEPTH_M <= 10)
    np.testing.assert_array_equal(np.isfinite(numpy(result.depth_m)), inside)
    np.testing.assert_array_equal(np.isfinite(numpy(result.cloud.points)[..., 2]), inside)


def test_beyond_infinity_there_is_no_depth(pipeline, serve):
    serve([[-1.0, -0.25, 0.0, np.nan, 1.0, 2.0]])  # scale * relative + shift: negative, 0, ...
    result = pipeline.run(command(), known_scale)
    known = np.isfinite(numpy(result.depth_m)[0])
    np.testing.assert_array_equal(known, [False, False, True, False, True, True])


@pytest.mark.parametrize(
    ('outputs', 'camera', 'cloud'),
    [
        ({CLOUD}, CAMERA, True),
        ({DEPTH}, CAMERA, False),
        (set(), CAMERA, False),
        ({CLOUD}, None, False),
    ],
)
def test_points_are_made_only_if_asked_for_and_with_a_camera(
    pipeline, serve, outputs, camera, cloud
):
    serve(DEPTH_M, metric=True)
    result = pipeline.run(command(outputs=outputs, camera=camera))
    assert (result.cloud is not None) == cloud
    assert result.depth_m is not None


def test_points_follow_their_settings(pipeline, serve):
    serve(DEPTH_M, metric=True)
    points = PointsSettings(organized=False, decimation=2, max_range=10.0, min_confidence=1.0)
    cloud = pipeline.run(command(settings=MonoSettings(points=points))).cloud
    assert len(cloud.points) == (DEPTH_M[::2, ::2] < 10).sum(), 'there is no confidence to miss'


@pytest.mark.parametrize('shape', [(4, 6), (4, 6, 3)])
def test_grey_and_colour_images_are_left_alone(pipeline, serve, shape):
    serve(DEPTH_M, metric=True)
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    before = image.copy()
    pipeline.run(command(image=image))
    np.testing.assert_array_equal(image, before)


def test_the_result_says_what_ran_how_long_and_where(pipeline, serve):
    network = serve(DEPTH_M, metric=True)
    settings = MonoSettings(depth_anything_v2=DepthAnythingSettings(model_backend='some.pth'))
    result = pipeline.run(command(settings=settings))
    assert (result.backend_used, result.checkpoint) == ('known', 'some.pth')
    assert network.asked == [settings]
    assert set(result.timings_ms) == {'estimate', 'geometry'}
    assert min(result.timings_ms.values()) >= 0
    assert result.depth_m.device == result.cloud.points.device == pipeline.device


def test_warming_up_runs_the_network_once_with_the_settings(serve):
    network = serve(1.0)
    settings = MonoSettings(device='cpu')
    MonoPipeline('cpu').warm_up(settings)
    assert network.asked == [settings]


def test_the_network_is_made_once_and_unknown_ones_are_refused_by_name(serve):
    serve(1.0)
    pipeline = MonoPipeline('cpu')
    assert pipeline.backend('depth_anything_v2') is pipeline.backend('depth_anything_v2')
    with pytest.raises(BackendError, match=r"unknown backend 'magic': choose one of \['depth"):
        pipeline.backend('magic')


def test_every_registered_network_can_be_loaded():
    for name in registry.MONO_BACKENDS:
        assert callable(registry.load_mono_backend(name).estimate)


def test_a_gpu_that_is_not_there_is_named():
    with pytest.raises(BackendError, match="device 'cuda:99' was asked for but torch sees"):
        MonoPipeline('cuda:99')
