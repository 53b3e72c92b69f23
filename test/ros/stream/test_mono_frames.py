# SPDX-License-Identifier: Apache-2.0
"""An image and its sparse depth become a command, an answer, and what the log says of it."""

import numpy as np
import pytest
from known_answers import KnownNetwork, serve_network
from mono_robot import (
    DEPTH_M,
    GREY,
    LIDAR_POSE,
    cloud_message,
    depth_image_message,
    measured,
    seen_by_lidar,
)
from scene import FRAME_ID, HEIGHT, WIDTH, image_message, info_message
from sensor_msgs.msg import CameraInfo

from vizion3d_ros.contracts.commands import Output
from vizion3d_ros.contracts.settings.mono_settings import (
    DepthAnythingSettings,
    MonoSettings,
    SparseDepthSettings,
)
from vizion3d_ros.geometry.metric_scale.tracker import NO_SCALE_YET
from vizion3d_ros.incoming.camera_info import CameraCache
from vizion3d_ros.pipeline import MonoPipeline
from vizion3d_ros.ros import throttle
from vizion3d_ros.ros.stream import processor
from vizion3d_ros.ros.stream.mono_frames import RELATIVE, MonoFrame, MonoProcessor
from vizion3d_ros.ros.stream.sparse_reading import SparseReading

pytestmark = pytest.mark.ros

STAMP_NS = 1000 * 10**9
SETTINGS = MonoSettings(device='cpu', sparse_depth=SparseDepthSettings(transform=LIDAR_POSE))
ALL = frozenset(Output)


class Outputs:
    """Keeps the answers; `needed` is what the listeners want computed."""

    usable = True

    def __init__(self):
        self.needed = ALL
        self.answers = []

    def due(self, lazy, cloud_period):
        return {'something'}

    def needs(self, names):
        return self.needed

    def publish(self, answer, names):
        self.answers.append(answer)


class Stage:
    """A processor with a relative network of known answer, and the settings to change."""

    def __init__(self, monkeypatch, metric=False):
        answer = DEPTH_M if metric else (1 / DEPTH_M - 0.03) / 0.25
        self.network = serve_network(monkeypatch, KnownNetwork(answer, metric))
        self.camera = CameraCache()
        self.camera.add(info_message())
        self.outputs = Outputs()
        self.settings = SETTINGS
        self.processor = MonoProcessor(
            MonoPipeline('cpu'), self.camera, self.outputs, lambda: self.settings
        )
        self.stamp_ns = STAMP_NS

    def see(self, sparse=None, **options):
        """Process one image and return its result."""
        self.stamp_ns += 10**8
        frame = MonoFrame(image_message(GREY, self.stamp_ns, **options), sparse)
        if publish := self.processor.compute(frame):
            publish()
        return self.outputs.answers[-1].result

    def change(self, **changes):
        self.settings = self.settings.model_copy(update=changes)


@pytest.fixture
def stage(monkeypatch):
    return Stage(monkeypatch)


def scan(points=None, frame_id='lidar'):
    points = seen_by_lidar(measured()) if points is None else points
    return cloud_message(points, STAMP_NS, frame_id)


def warnings(log):
    return [r.getMessage() for r in log.records if r.levelname == 'WARNING']


def test_an_answer_without_sparse_depth_stays_relative_and_is_told_once(stage, package_log):
    for _ in range(5):
        result = stage.see()
        assert result.depth_m is None and result.cloud is None
        assert result.relative is not None
    assert warnings(package_log) == [RELATIVE]
    for cure in ('hypersim', 'vkitti', 'sparse_depth/points', 'sparse_depth/image'):
        assert cure in RELATIVE
    stage.change(depth_anything_v2=DepthAnythingSettings(model_backend='another.pth'))
    stage.see()
    assert warnings(package_log) == [RELATIVE] * 2


def test_the_rate_of_a_stream_that_stood_still_is_that_of_now(stage, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(processor.time, 'monotonic', lambda: now[0])

    def rate_after(frames, pause):
        for _ in range(frames):
            stage.see()
            now[0] += pause
        return stage.processor.rate_hz

    assert rate_after(10, 0.1) == pytest.approx(10)
    now[0] += 3600.0
    assert rate_after(0, 0.0) == 0.0
    assert rate_after(5, 0.1) == pytest.approx(10)
    assert rate_after(40, 8.0) == pytest.approx(1 / 8)


def test_a_metric_answer_needs_nothing_and_says_nothing(monkeypatch, package_log):
    stage = Stage(monkeypatch, metric=True)
    result = stage.see()
    assert result.relative is None
    np.testing.assert_allclose(result.depth_m, DEPTH_M, 1e-6)
    assert stage.processor.relative is False
    assert warnings(package_log) == []


@pytest.mark.parametrize('kind', ['points', 'image'])
def test_sparse_depth_gives_metres_and_a_line_in_the_log(stage, package_log, monkeypatch, kind):
    monkeypatch.setattr(throttle, 'REPEAT_SECONDS', 0.0)
    stage.see()
    sparse = scan() if kind == 'points' else depth_image_message(DEPTH_M, STAMP_NS)
    result = stage.see(sparse)
    np.testing.assert_allclose(result.depth_m, DEPTH_M, 1e-3)
    assert result.cloud.points.shape == (HEIGHT, WIDTH, 4)
    stage.see(sparse)
    lines = [r.getMessage() for r in package_log.records if 'metres from' in r.getMessage()]
    count = 400 if kind == 'points' else 4000
    assert lines == [f'metres from sparse depth: {count} of {count} points agree']


def test_metres_from_the_first_image_on_leave_nothing_to_warn_of(stage, package_log):
    assert stage.see(scan()).depth_m is not None
    assert warnings(package_log) == []


def test_nothing_is_fitted_for_a_relative_listener(stage):
    stage.outputs.needed = frozenset()
    assert stage.see(scan()).depth_m is None
    assert stage.processor.scale == NO_SCALE_YET
    assert stage.processor.sparse == SparseReading(), 'nor read'


def test_a_broken_message_costs_the_metres_and_the_next_good_one_brings_them(stage):
    broken = scan()
    broken.fields = broken.fields[1:]
    assert stage.see(broken).relative is not None
    assert 'no float32 or float64 field x' in stage.processor.sparse.fault
    assert stage.see(scan()).depth_m is not None
    assert stage.processor.sparse.fault == ''


def test_a_transform_that_is_no_pose_is_refused():
    with pytest.raises(ValueError, match='quaternion x, y, z, w, got four zeros'):
        SparseDepthSettings(transform=[0.0] * 7)


def test_a_snapshot_has_metres_and_leaves_the_fit_in_force_alone(stage):
    stage.see(scan())
    before = stage.processor.scale
    earlier = MonoFrame(image_message(GREY, STAMP_NS - 10**9), scan())
    decoded = stage.processor.decode(earlier, SETTINGS, ALL)
    result = stage.processor.pipeline.run(decoded.command)
    assert result.depth_m is not None and result.scale.age == 0.0
    assert stage.processor.scale is before
    after = stage.see().scale
    assert (after.scale, after.fit) == (before.scale, before.fit)
    assert after.age == pytest.approx(0.1)


def test_decoding_says_what_there_is_and_changes_nothing(stage):
    stage.see(scan())
    before = {**vars(stage.processor)}
    broken = scan(frame_id=FRAME_ID)
    broken.fields = broken.fields[1:]
    for settings in (SETTINGS, MonoSettings(depth_anything_v2={'model_backend': 'another.pth'})):
        frame = MonoFrame(image_message(GREY, STAMP_NS - 10**9), broken)
        jobs = [stage.processor.decode(frame, settings, ALL) for _ in range(2)]
        assert jobs[0].sparse == jobs[1].sparse and 'no float32' in jobs[0].sparse.fault
        assert jobs[0].command.sparse_depth is None
        assert jobs[0].command.stamp_ns == STAMP_NS - 10**9
    assert vars(stage.processor) == before
    assert stage.see().scale.age == pytest.approx(0.1)


def test_the_result_says_which_scale_was_used_and_how_old_it_was_at_the_image(stage):
    for age, sparse in ((0.0, scan()), (0.1, None), (0.2, None)):
        used = stage.see(sparse).scale
        assert used.age == pytest.approx(age) and used.reason == ''
        assert (used.scale.scale, used.scale.shift) == pytest.approx((0.25, 0.03), rel=1e-3)
        assert (used.fit.points, used.fit.inliers) == (400, 400)
        assert stage.processor.scale is used


def test_what_was_last_known_of_the_scale_stays_while_nobody_asks_for_metres(stage):
    used = stage.see(scan()).scale
    stage.outputs.needed = frozenset()
    assert stage.see(scan()).scale is None
    assert stage.processor.scale is used


@pytest.mark.parametrize(
    ('frame_id', 'transform', 'told'),
    [
        ('lidar', [0.0] * 6 + [1.0], True),
        (FRAME_ID, [0.0] * 6 + [1.0], False),
        ('lidar', LIDAR_POSE, False),
    ],
)
def test_points_of_another_frame_want_a_transform(stage, frame_id, transform, told):
    stage.change(sparse_depth=SparseDepthSettings(transform=transform))
    stage.see(scan(frame_id=frame_id))
    text = stage.processor.sparse.doubt
    assert bool(text) == told
    if told:
        assert "'lidar'" in text and repr(FRAME_ID) in text and 'transform' in text


@pytest.mark.parametrize(('frame_id', 'told'), [('depth_optical', True), (FRAME_ID, False)])
def test_a_depth_image_of_another_frame_is_doubted(stage, frame_id, told):
    sparse = depth_image_message(DEPTH_M, STAMP_NS)
    sparse.header.frame_id = frame_id
    stage.see(sparse)
    assert ('registered' in stage.processor.sparse.doubt) == told


def test_another_network_begins_without_a_scale(stage):
    stage.see(scan())
    assert stage.see().depth_m is not None, 'within max_age'
    stage.change(depth_anything_v2=DepthAnythingSettings(model_backend='another.pth'))
    assert stage.see().depth_m is None
    assert stage.see(scan()).depth_m is not None


def test_limits_of_the_fit_are_those_of_the_moment(stage):
    limits = stage.settings.sparse_depth
    stage.change(sparse_depth=limits.model_copy(update={'min_points': 401}))
    assert stage.see(scan()).depth_m is None
    assert 'min_points' in stage.processor.scale.reason
    stage.change(sparse_depth=limits.model_copy(update={'min_points': 400}))
    assert stage.see(scan()).depth_m is not None


def test_without_a_calibration_sparse_depth_is_left_alone(stage):
    stage.camera.known = None
    result = stage.see(scan())
    assert result.relative is not None and result.depth_m is None
    assert stage.processor.sparse.fault == ''


def test_the_camera_info_goes_with_the_answer_if_it_is_usable(stage):
    stage.see()
    assert stage.outputs.answers[-1].info == info_message()
    stage.camera.add(CameraInfo(width=WIDTH, height=HEIGHT))
    stage.see()
    assert stage.outputs.answers[-1].info is None


@pytest.mark.parametrize('info', [None, CameraInfo(width=WIDTH, height=HEIGHT)])
def test_rectification_waits_for_a_calibration(stage, info):
    stage.change(rectify=True)
    stage.camera.known = None
    if info:
        stage.camera.add(info)
    frame = MonoFrame(image_message(GREY, STAMP_NS))
    assert stage.processor.decode(frame, stage.settings, ALL) is None


def test_a_raw_image_reaches_the_network_rectified(stage):
    info = info_message()
    info.d = [-0.2, 0.05, 0.0, 0.0, 0.0]
    stage.camera.add(info)
    frame = MonoFrame(image_message(GREY, STAMP_NS))
    raw = stage.processor.decode(frame, stage.settings, ALL).command.image
    np.testing.assert_array_equal(raw, GREY)
    stage.change(rectify=True)
    rectified = stage.processor.decode(frame, stage.settings, ALL).command.image
    assert (rectified != raw).mean() > 0.3
