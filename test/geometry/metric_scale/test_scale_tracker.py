# SPDX-License-Identifier: Apache-2.0
"""The scale in force from image to image: smoothed, kept, given up, taken anew."""

import math

import numpy as np
import pytest

from vizion3d_ros.contracts.commands import MonoCommand
from vizion3d_ros.contracts.metric_scale import MetricScale, SparseDepth
from vizion3d_ros.contracts.settings.mono_settings import (
    DepthAnythingSettings,
    MonoSettings,
    SparseDepthSettings,
)
from vizion3d_ros.contracts.settings.onnx_settings import OnnxSettings
from vizion3d_ros.geometry.metric_scale.tracker import NO_SCALE_YET, ScaleTracker

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND  # stamps of today must not lose their nanoseconds
IMAGE = np.zeros((48, 64), np.uint8)
RELATIVE = np.add.outer(np.linspace(0.1, 0.6, 48), np.linspace(0.0, 0.3, 64)).astype(np.float32)


def measured(scale, shift, noise=0.0, count=400, seed=0):
    """Points that say: 1 / Z = scale * relative + shift."""
    rng = np.random.default_rng(seed)
    columns, rows = rng.integers(0, 64, count), rng.integers(0, 48, count)
    depth_m = 1 / (scale * RELATIVE[rows, columns] + shift)
    depth_m = depth_m * (1 + noise * rng.standard_normal(count))
    return SparseDepth(*(a.astype(np.float32) for a in (columns, rows, depth_m)))


def wrong():
    points = measured(1.0, 0.0)
    far = np.random.default_rng(0).uniform(0.3, 50, points.depth_m.size)
    return SparseDepth(points.columns, points.rows, far.astype(np.float32))


class Drive:
    """A tracker, the time of its images, seconds after the first, and what it said last."""

    def __init__(self, **settings):
        self.tracker = ScaleTracker()
        self.settings = MonoSettings(sparse_depth=SparseDepthSettings(**settings))
        self.state = NO_SCALE_YET

    def change(self, **changes):
        self.settings = self.settings.model_copy(update=changes)

    def at(self, time_s, sparse=None):
        """Give the scale in force at a time."""
        command = MonoCommand(
            image=IMAGE,
            camera=None,
            settings=self.settings,
            sparse_depth=sparse,
            stamp_ns=START + round(time_s * SECOND),
        )
        self.state = self.tracker.update(RELATIVE, command)
        return self.state.scale


def near(scale, shift=0.1, rel=1e-3):
    return pytest.approx((scale, shift), rel=rel)


def pair(scale: MetricScale):
    return scale.scale, scale.shift


def test_before_any_points_there_is_no_scale_and_it_says_why():
    drive = Drive()
    for _ in range(2):
        assert drive.state.scale is None and drive.state.age is None and drive.state.fit is None
        assert 'no sparse depth has arrived' in drive.state.reason
        assert drive.at(0.0) is None


def test_the_first_good_fit_is_in_force_at_once():
    drive = Drive()
    answer = drive.at(0.0, measured(2.0, 0.1))
    assert pair(answer) == near(2.0)
    assert (drive.state.scale, drive.state.reason, drive.state.age) == (answer, '', 0.0)
    assert drive.state.fit.points == 400


def test_a_change_is_followed_with_the_time_constant_of_the_stamps():
    drive = Drive(smoothing=0.4)
    drive.at(0.0, measured(2.0, 0.1))
    for step in range(1, 13):
        answer = drive.at(step * 0.1, measured(2.06, 0.103))
        left = math.exp(-step * 0.1 / 0.4)
        assert pair(answer) == near(2.06 - 0.06 * left, 0.103 - 0.003 * left, rel=1e-4)


def test_the_rate_of_the_points_does_not_matter():
    slow, fast = Drive(), Drive()
    for drive, steps in ((slow, 2), (fast, 12)):
        drive.at(0.0, measured(2.0, 0.1))
        for step in range(1, steps + 1):
            drive.at(0.36 * step / steps, measured(2.05, 0.1))
    assert pair(slow.state.scale) == pytest.approx(pair(fast.state.scale), rel=1e-6)


def test_without_smoothing_every_fit_is_in_force():
    drive = Drive(smoothing=0.0)
    drive.at(0.0, measured(2.0, 0.1))
    assert pair(drive.at(0.01, measured(2.05, 0.1))) == near(2.05)


def test_smoothing_calms_the_noise_of_the_fits():
    def swings(smoothing):
        drive = Drive(smoothing=smoothing)
        answers = [
            pair(drive.at(k * 0.1, measured(2.0, 0.1, noise=0.05, count=60, seed=k)))
            for k in range(80)
        ]
        settled = np.array(answers[40:])
        assert settled.mean(axis=0) == pytest.approx([2.0, 0.1], abs=0.02)
        return settled.std(axis=0)

    assert (swings(1.0) < 0.4 * swings(0.0)).all()


def test_a_cut_of_the_scene_is_followed_at_once():
    drive = Drive(smoothing=1.0)
    drive.at(0.0, measured(2.0, 0.1))
    assert pair(drive.at(0.1, measured(3.0, 0.05))) == near(3.0, 0.05)
    assert pair(drive.at(0.2, measured(2.0, 0.3))) == near(2.0, 0.3)


def test_a_change_below_half_the_tolerance_is_no_cut():
    drive = Drive(smoothing=1.0, tolerance=0.2)
    drive.at(0.0, measured(2.0, 0.1))
    assert drive.at(0.1, measured(2.18, 0.109)).scale < 2.03
    assert pair(drive.at(0.2, measured(2.3, 0.115))) == near(2.3, 0.115)


def test_the_last_good_fit_serves_images_without_points_for_a_while():
    drive = Drive(max_age=0.5)
    good = drive.at(0.0, measured(2.0, 0.1))
    assert drive.at(0.3) == drive.at(0.5) == good
    assert drive.state.age == pytest.approx(0.5) and drive.state.reason == ''
    assert drive.at(0.81) is None
    assert drive.state.scale is None and drive.state.age == pytest.approx(0.81)
    words = ('the last good fit is 0.8 s old (max_age 0.5)', 'no sparse depth has arrived since')
    assert all(word in drive.state.reason for word in words)
    assert pair(drive.at(0.9, measured(2.0, 0.1))) == near(2.0)


def test_a_refused_fit_does_not_replace_a_good_one():
    drive = Drive(max_age=0.5)
    good = drive.at(0.0, measured(2.0, 0.1))
    assert drive.at(0.2, wrong()) == good
    assert drive.state.reason == '' and drive.state.age == pytest.approx(0.2)
    assert drive.state.fit.scale is None and 'min_inliers' in drive.state.fit.reason
    assert drive.at(0.7, wrong()) is None
    assert 'the last good fit is 0.7 s old' in drive.state.reason
    assert 'min_inliers' in drive.state.reason


def test_a_refused_first_fit_says_why():
    drive = Drive()
    assert drive.at(0.0, wrong()) is None
    assert 'min_inliers' in drive.state.reason and drive.state.age is None
    assert drive.at(0.1) is None
    assert 'min_inliers' in drive.state.reason


def test_without_age_only_images_with_points_are_served():
    drive = Drive(max_age=0.0)
    assert drive.at(0.0, measured(2.0, 0.1)) is not None
    assert drive.at(0.001) is None
    assert drive.at(0.1, measured(2.0, 0.1)) is not None


def test_a_bag_that_loops_starts_anew():
    drive = Drive(smoothing=10.0)
    drive.at(0.0, measured(2.0, 0.1))
    drive.at(20.0, measured(2.05, 0.1))
    assert drive.at(0.0) is None
    assert 'no sparse depth has arrived' in drive.state.reason and drive.state.age is None
    assert pair(drive.at(0.1, measured(2.05, 0.1))) == near(2.05)


def test_images_that_overtake_each_other_change_nothing():
    drive = Drive()
    good = drive.at(0.0, measured(2.0, 0.1))
    assert drive.at(-0.05) == good
    assert drive.state.age == 0.0
    assert pair(drive.at(-0.02, measured(2.04, 0.1))) == pytest.approx(pair(good), rel=0.01)


def test_settings_may_change_between_images():
    drive = Drive(max_age=0.5)
    drive.at(0.0, measured(2.0, 0.1))
    drive.change(sparse_depth=SparseDepthSettings(max_age=2.0, smoothing=0.0))
    assert drive.at(1.5) is not None
    assert pair(drive.at(1.6, measured(2.05, 0.1))) == near(2.05)


@pytest.mark.parametrize(
    'change',
    [
        {'depth_anything_v2': DepthAnythingSettings(model_backend='another.pth')},
        {'depth_anything_v2': DepthAnythingSettings(input_size=252)},
        {'backend': 'onnx', 'onnx': OnnxSettings(model='another.onnx')},
    ],
    ids=['checkpoint', 'size', 'backend'],
)
def test_another_network_begins_without_a_scale(change):
    drive = Drive(smoothing=10.0)
    drive.at(0.0, measured(2.0, 0.1))
    drive.change(**change)
    assert drive.at(0.1) is None
    assert drive.state == NO_SCALE_YET
    assert pair(drive.at(0.2, measured(2.05, 0.1))) == near(2.05)


def test_what_was_read_before_an_image_stays_as_it_was():
    drive = Drive()
    drive.at(0.0, measured(2.0, 0.1))
    before = drive.state
    drive.at(2.0)
    assert before.scale is not None and before.age == 0.0 and drive.state is not before
