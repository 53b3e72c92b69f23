# SPDX-License-Identifier: Apache-2.0
"""Swapped sides of a rig whose axes meet: outlines on the wrong side of what they hide."""

import cv2
import numpy as np

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.commands import StereoCommand
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.diagnosis.stereo_doctor import StereoDoctor
from vizion3d_ros.files.pair import load_pair
from vizion3d_ros.pipeline import StereoPipeline

WIDTH, HEIGHT = 640, 480
PIPELINE = StereoPipeline('cpu')


def texture(width, seed):
    random = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(random.standard_normal((HEIGHT, width)), (0, 0), 2)
    return cv2.normalize(noise, None, 0, 100, cv2.NORM_MINMAX)


def boxes():
    """A dark wall, 30 px from side to side, and bright boxes before it, 60 px."""
    wall, front = texture(WIDTH + 200, 1), 150 + texture(WIDTH, 2)
    left, right = wall[:, :WIDTH].copy(), wall[:, 30 : WIDTH + 30].copy()
    for column in (150, 300, 450):
        left[80:400, column : column + 70] = front[80:400, column : column + 70]
        right[80:400, column - 60 : column + 10] = front[80:400, column : column + 70]
    return left.astype(np.uint8), right.astype(np.uint8)


def told(left, right, rig):
    """What the doctor says of a pair seen twice."""
    command = StereoCommand(left=left, right=right, rig=rig, settings=StereoSettings())
    doctor, result = StereoDoctor(), PIPELINE.run(command)
    for number in range(2):
        doctor.look(command, result, 100 + number / 2)
    return doctor.verdict.text


def test_swapped_sides_are_told_though_no_disparity_is_negative():
    camera = Intrinsics(width=WIDTH, height=HEIGHT, fx=600, fy=600, cx=320, cy=240)
    rig = StereoRig(left=camera, baseline_m=0.2, doffs=80.0)
    left, right = boxes()
    assert told(left, right, rig) == ''
    assert 'seem to be swapped' in told(right, left, rig)


def test_a_recorded_pair_of_such_a_rig_is_told_when_swapped_only(data_dir):
    pair = load_pair(data_dir / 'teddy_half')
    assert pair.rig.doffs == 104
    assert told(pair.left, pair.right, pair.rig) == ''
    assert 'seem to be swapped' in told(pair.right, pair.left, pair.rig)
