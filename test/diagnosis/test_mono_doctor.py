# SPDX-License-Identifier: Apache-2.0
"""What one camera shows to be wrong with itself."""

import numpy as np
import pytest

from vizion3d_ros.diagnosis.mono_doctor import MonoDoctor

SCENE = np.kron(np.random.default_rng(4).integers(20, 230, (60, 80)), np.ones((8, 8)))


def told(images):
    """What the doctor says after these images, looked at a second apart."""
    doctor = MonoDoctor()
    for number, image in enumerate(images):
        doctor.look(np.asarray(image, np.uint8), 100 + number)
    return doctor.verdict.text


def moving(count):
    return [np.roll(SCENE, 8 * number, 1) for number in range(count)]


@pytest.mark.parametrize('images', [[SCENE] * 8, moving(8)], ids=['still', 'moving'])
def test_a_still_or_moving_picture_gets_no_word(images):
    assert told(images) == ''


def test_a_picture_that_stops_moving_is_frozen():
    assert told(moving(8) + [moving(8)[-1]] * 5).startswith('image is frozen')


@pytest.mark.parametrize(
    ('level', 'word'), [(3, 'is dark'), (255, 'is saturated'), (120, 'nothing but noise')]
)
def test_what_shows_nothing_is_told_by_its_cause(level, word):
    assert word in told([np.full((480, 640), level)] * 2)
