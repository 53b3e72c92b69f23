# SPDX-License-Identifier: Apache-2.0
"""The true instances of the synthetic room: where their objects are, and only if asked for."""

import numpy as np

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.testbed.instances import OBJECTS
from vizion3d_ros.testbed.scene import SyntheticScene

SCENE = SyntheticScene(StereoRig.from_field_of_view(320, 240, 65, 0.12))
BALL, PILLAR = 1 + OBJECTS.index('ball'), 1 + OBJECTS.index('pillar')


def test_instances_are_where_their_objects_are():
    frame = SCENE.at(0.3, instances=True)
    ball, pillar = (frame.depth_m[frame.instances == number] for number in (BALL, PILLAR))
    assert np.ptp(ball) < 0.24 * 1.2  # the half that faces the camera
    assert 5.4 < pillar.min() < pillar.max() < 6.2
    assert (frame.instances == 0).mean() > 0.5


def test_they_are_drawn_when_they_are_asked_for_only():
    assert SCENE.at(0.3).instances is None
    assert (SCENE.at(0.3).left == SCENE.at(0.3, instances=True).left).all()
