# SPDX-License-Identifier: Apache-2.0
"""What one camera shows to be wrong with itself."""

import numpy as np
import pytest

from vizion3d_ros.diagnosis.mono_doctor import MonoDoctor

SCENE = np.kron(np.random.default_rng(4).integers(20, 230, (60, 80)), np.ones((8, 8)))


def told(images):
    """What the doctor says after these images, looked at half a second apart."""
    doctor = MonoDoctor()
    for number, image in enumerate(images):
        doctor.look(np.asarray(image, np.uint8), 100 + number / 2)
    return doctor.verdict.text


def moving(count):
    return [np.roll(SCENE, 8 * number, 1) for number in range(count)]


def noisy(images, deviation, seed=5):
    random = np.random.default_rng(seed)
    return [np.clip(image + random.normal(0, deviation, image.shape), 0, 255) for image in images]


def textured(deviation):
    """A carpet that looks like noise, with posters on it, passing by."""
    carpet = 120 + np.random.default_rng(6).normal(0, deviation, SCENE.shape)
    image = np.where(SCENE > 160, SCENE, carpet)
    return [np.roll(image, 3 * number, 1) for number in range(8)]


HILLS = np.cos(np.arange(640) / 51)
# As a simulator without noise sends them: all that changes is what moves, or the light.
SIMULATED = {
    'still': [SCENE] * 8,
    'moving': moving(8),
    'moving slowly': [np.roll(SCENE, number, 1) for number in range(8)],
    'textured': textured(3),
    'faintly textured': textured(1),
    'smooth hills': [127.5 + 127.5 * np.outer(np.sin(np.arange(480) / 51), HILLS)] * 8,
    'flicker': [SCENE * (0.9 + 0.02 * (number % 3)) for number in range(8)],
    'something moves': [np.where(np.arange(640) < 300, m, SCENE) for m in moving(8)],
}


@pytest.mark.parametrize('scene', SIMULATED)
def test_a_simulation_may_stand_as_long_as_it_likes(scene):
    images = SIMULATED[scene]
    assert told(images) == ''
    assert told([*images, *[images[-1]] * 8]) == ''


@pytest.mark.parametrize('deviation', [0.5, 1.0, 3.0, 6.0])
def test_a_sensor_that_loses_its_noise_is_frozen(deviation):
    stood = noisy([SCENE] * 5, deviation)
    moved = noisy(moving(8), deviation)
    for live in (stood, stood + moved, moved + stood):
        assert told(live) == ''
        assert told([*live, *[live[-1]] * 8]).startswith('image is frozen')


@pytest.mark.parametrize(
    ('level', 'word'), [(3, 'is dark'), (255, 'is saturated'), (120, 'nothing but noise')]
)
def test_what_shows_nothing_is_told_by_its_cause(level, word):
    assert word in told([np.full((480, 640), level)] * 2)
