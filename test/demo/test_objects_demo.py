# SPDX-License-Identifier: Apache-2.0
"""The demo of objects as a user runs it: a camera, a detector and annotation_node over DDS."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from vizion3d_ros.files.ply_reader import read_ply

pytest.importorskip('rclpy')

pytestmark = [pytest.mark.ros, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
ONE_CM = 0.01


def test_objects_are_found_in_true_depth_and_in_that_of_stereo(tmp_path):
    program, out = str(ROOT / 'demo' / 'objects.py'), str(tmp_path)
    finished = subprocess.run(
        [sys.executable, program, '--out', out, '--moments', '1'],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    worst = json.loads((tmp_path / 'objects.json').read_text())
    for row in worst['true']:
        assert row['foreign'] <= 0.02, row
        if row['margin_px'] == 0:
            assert row['found'] >= 0.99 and row['foreign'] <= 0.01 and row['off_m'] < ONE_CM, row
    fat = [row for row in worst['true'] if row['margin_px']]
    assert len(fat) >= 6 and all(row['plain'] > 0.05 for row in fat)
    stereo = [row['found'] for row in worst['stereo'] if row['margin_px'] == 0]
    assert len(stereo) >= 6 and sorted(stereo)[len(stereo) // 2] > 0.9
    assert 'stereo depth of the synthetic room' in finished.stdout
    assert cv2.imread(str(tmp_path / 'objects.png')).shape[1] == 3 * 640
    assert len(read_ply(tmp_path / 'objects.ply', 'objects.ply').xyz) > 200_000
