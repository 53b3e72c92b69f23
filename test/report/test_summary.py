# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

from vizion3d_ros.contracts import topic_names
from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.report import recording, summary
from vizion3d_ros.report.summary import Maps

MS = 10**6
CAMERA = Intrinsics(width=4, height=2, fx=100.0, fy=100.0, cx=2.0, cy=1.0)
RIG = StereoRig(left=CAMERA, baseline_m=0.2, doffs=6.0)
REQUIRED = {
    *('frames_sent', 'frames_answered', 'latency_ms_p50', 'latency_ms_p95', 'valid_share'),
    *('depth_error_median', 'depth_error_p95', 'messages_lost'),
}


@pytest.fixture
def run():
    """Ten frames: true raw disparity 4, found 4 or 5.5, one pixel of eight without an answer."""
    truth = np.full((2, 4), 4.0, np.float32)
    raw = np.array([[4, 4, 4, 4], [4, 5.5, 5.5, np.nan]], np.float32)
    corrected = (raw + 6).astype(np.float32)
    run = recording.Recording()
    for index in range(10):
        stamp = (1000 + 100 * index) * MS
        run.add(topic_names.LEFT, stamp, stamp + MS, np.zeros((2, 4), np.uint8))
        run.add(topic_names.TRUE_DISPARITY, stamp, stamp + MS, truth)
        run.add(topic_names.DEPTH, stamp, stamp + (20 + index) * MS, 20 / corrected)
        run.add(topic_names.DISPARITY, stamp, stamp + 30 * MS, np.nan_to_num(corrected))
    return run


def test_report_of_a_known_run(run):
    report = summary.summarize(run, RIG)
    assert report.keys() >= REQUIRED
    assert (report['frames_sent'], report['frames_answered']) == (10, 10)
    assert report['messages_lost'] == 0
    assert report['latency_ms_p50'] == pytest.approx(24.5)
    assert report['rate_hz'] == pytest.approx(9 / (0.9 + 0.009))
    assert report['valid_share'] == report['density'] == 7 / 8
    assert report['bad_1'] == 3 / 8 and report['bad_2'] == 1 / 8
    assert report['epe'] == pytest.approx(2 * 1.5 / 7)
    assert report['depth_error_median'] == pytest.approx(0, abs=1e-6)
    # true depth 20 / 10 = 2 m, the wrong pixels at 20 / 11.5 m: 13 % too near
    assert report['depth_error_p95'] == pytest.approx(1 - 10 / 11.5, rel=1e-4)


def test_report_is_plain_json_even_of_nothing():
    report = summary.summarize(recording.Recording(), None)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report.keys() >= REQUIRED
    assert report['frames_answered'] == 0 and report['valid_share'] is None


def test_what_the_source_sent_corrects_the_losses(run):
    report = summary.count_sent(summary.summarize(run, RIG), 12)
    assert report['frames_sent'] == 12
    assert report['lost'][topic_names.LEFT] == report['lost'][topic_names.TRUE_DISPARITY] == 2
    assert report['messages_lost'] == 4


def test_disparity_is_given_back_without_doffs(run):
    maps = Maps.from_frame(run.best, RIG)
    np.testing.assert_allclose(maps.disparity, [[4, 4, 4, 4], [4, 5.5, 5.5, np.nan]])
    np.testing.assert_allclose(maps.true_depth_m, 2.0)


def test_disparity_is_left_alone_without_a_calibration(run):
    maps = Maps.from_frame(run.best, None)
    assert maps.disparity[0, 0] == 10.0 and np.isnan(maps.disparity[1, 3])
    assert maps.true_depth_m is None


def test_recorded_depth_truth_goes_before_a_derived_one(run):
    truth = np.full((2, 4), 3.0, np.float32)
    maps = Maps.from_frame({**run.best, topic_names.TRUE_DEPTH: truth}, RIG)
    assert maps.true_depth_m is truth


def test_table_shows_what_there_is_and_says_what_was_scored(run):
    lines = summary.table(summary.summarize(run, RIG)).splitlines()
    rows = {line[:20].strip(): ' '.join(line[20:].split()) for line in lines}
    assert rows['frames in'] == '10'
    assert rows['valid share'] == '87.50 % over 10 frames, evenly spread'
    assert rows['bad-1.0'] == '37.50 % missing answers counted as wrong'
    without = summary.table(summary.summarize(recording.Recording(), None))
    assert 'bad-1.0' not in without and 'latency' not in without


def test_a_relative_run_has_a_latency_and_no_scores():
    run = recording.Recording()
    for stamp in (1000 * MS, 2000 * MS):
        run.add(topic_names.LEFT, stamp, stamp + MS, np.zeros((2, 4), np.uint8))
        run.add(topic_names.RELATIVE, stamp, stamp + 20 * MS, np.ones((2, 4), np.float32))
    report = summary.summarize(run, RIG)
    assert (report['answer'], report['frames_answered']) == (topic_names.RELATIVE, 2)
    assert report['latency_ms_p50'] == 20
    assert report['valid_share'] is None and report['frames_scored'] == 0
    assert 'valid share' not in summary.table(report)
    assert Maps.from_frame(run.best, RIG).relative.tolist() == np.ones((2, 4)).tolist()


def test_table_says_how_many_points_agree_with_the_fit(run):
    fit = {'points': 1500.0, 'inliers': 1200.0, 'cells': 16.0, 'residual': 0.0031}
    lines = summary.table({**summary.summarize(run, RIG), 'scale_fit': fit}).splitlines()
    rows = {line[:20].strip(): ' '.join(line[20:].split()) for line in lines}
    assert rows['points that agree'].startswith('80.00 % of 1500')
    assert rows['fit residual'].startswith('0.31 %')
