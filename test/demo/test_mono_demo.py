# SPDX-License-Identifier: Apache-2.0
"""Both runs of the mono demo as a user runs them: three processes each, over real middleware."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

pytest.importorskip('rclpy')

import mono
from nodes import DemoError

pytestmark = [pytest.mark.ros, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


def report_in(folder):
    return json.loads((folder / 'report.json').read_text())


def test_one_camera_gives_a_relative_answer_and_then_metres(tmp_path):
    scratch = tmp_path / 'scratch'
    scratch.mkdir()
    finished = subprocess.run(
        [sys.executable, str(ROOT / 'demo' / 'mono.py'), '--out', str(tmp_path), '--frames', '20'],
        env={**os.environ, 'TMPDIR': str(scratch)},
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert list(scratch.glob('**/*.pth')) == []
    relative, lidar = (tmp_path / name for name in ('mono_relative', 'mono_lidar'))
    report = report_in(relative)
    assert report['answer'] == 'relative_depth/image' and report['frames_answered'] >= 4
    assert report['remark'] == 'random weights: no meaning'
    assert report['valid_share'] is None and not (relative / 'cloud.ply').exists()
    report = report_in(lidar)
    assert report['answer'] == 'depth/image' and report['frames_answered'] >= 4
    assert report['remark'] == 'stand-in network: known affine image of inverse depth'
    assert report['depth_error_median'] < 0.005 and report['valid_share'] > 0.99
    assert 0.7 < report['scale_fit']['inliers'] / report['scale_fit']['points'] < 0.85
    assert (lidar / 'cloud.ply').exists()
    for folder in (relative, lidar):
        assert cv2.imread(str(folder / 'montage.png')) is not None
        assert str(folder / 'montage.png') in finished.stdout


def test_an_answer_of_another_kind_is_a_failure_with_a_reason(tmp_path):
    mono.check({'answer': 'depth/image'}, 'depth/image', tmp_path)
    with pytest.raises(DemoError, match='came on relative_depth/image, expected depth/image'):
        mono.check({'answer': 'relative_depth/image'}, 'depth/image', tmp_path)
