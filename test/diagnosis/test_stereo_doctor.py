# SPDX-License-Identifier: Apache-2.0
"""Every fault of a pair in one sentence, twice seen; silence about whatever is well."""

import re

import cv2
import numpy as np
import pytest

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.commands import StereoCommand
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.diagnosis.stereo_doctor import StereoDoctor, explain_pair
from vizion3d_ros.pipeline import StereoPipeline
from vizion3d_ros.testbed.scene import SyntheticScene

RIG = StereoRig.from_field_of_view(640, 480, 65.0, 0.12)
PIPELINE = StereoPipeline('cpu')


@pytest.fixture(scope='module')
def room():
    return SyntheticScene(RIG).at(0.7)


def noisy(image, deviation, seed):
    noise = np.random.default_rng(seed).normal(0, deviation, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def told(pairs, rig=RIG, **settings):
    """What the doctor says after these pairs, looked at half a second apart."""
    doctor, said = StereoDoctor(), []
    for number, (left, right) in enumerate(pairs):
        command = StereoCommand(
            left=left, right=right, rig=rig, settings=StereoSettings(**settings)
        )
        doctor.look(command, PIPELINE.run(command), 100 + number / 2)
        said.append(doctor.verdict.text)
    return said


def test_a_fault_is_told_when_seen_twice_and_forgotten_at_once(room):
    well, swapped = (room.left, room.right), (room.right, room.left)
    said = told([well, well, well, swapped, swapped, swapped, well, well, well, well])
    assert said[:3] == ['', '', '']
    assert 'swapped' in said[5]
    assert said[-1] == ''


def test_a_confidence_that_nothing_reaches_is_named(room):
    said = told([(room.left, room.right)] * 3, min_confidence=1.0)
    assert said[-1].startswith('min_confidence: 1 drops ') and said[-1].endswith('lower it')


@pytest.mark.parametrize(
    'change',
    [
        lambda image, seed: image,
        lambda image, seed: noisy(image, 3, seed),
        lambda image, seed: (image * (1 - 0.2 * seed)).astype(np.uint8),
        lambda image, seed: (image * 0.15).astype(np.uint8),
        lambda image, seed: np.where(np.arange(640)[:, None] < 320, image // 12, image),
    ],
    ids=['as it is', 'noise', 'exposure', 'dusk', 'half dark'],
)
def test_what_is_well_gets_no_word(room, change):
    pair = change(room.left, 0), change(room.right, 1)
    assert told([pair] * 3) == [''] * 3


@pytest.mark.parametrize('rows', [2, 3, 6, -4])
def test_rows_that_differ_are_measured(room, rows):
    text = told([(room.left, np.roll(room.right, rows, 0))] * 2)[1]
    where = 'lower' if rows > 0 else 'higher'
    assert f'right image is {abs(rows)}.0 px {where} than the left one' in text


@pytest.mark.parametrize('degrees', [1.0, -2.0])
def test_a_turned_camera_is_told_with_its_angle(room, degrees):
    turn = cv2.getRotationMatrix2D((320, 240), -degrees, 1)
    text = told([(room.left, cv2.warpAffine(room.right, turn, (640, 480)))] * 2)[1]
    way = 'clockwise' if degrees > 0 else 'counterclockwise'
    assert f'turned {way} by {abs(degrees)} degrees' in text


@pytest.mark.parametrize('zoom', [1.02, 0.96])
def test_another_zoom_is_told_with_its_size(room, zoom):
    about_the_middle = cv2.getRotationMatrix2D((320, 240), 0, zoom)
    zoomed = cv2.warpAffine(room.right, about_the_middle, (640, 480))
    text = told([(room.left, zoomed)] * 2)[1]
    shown = re.match(r'right image shows all ([\d.]+) % (larger|smaller) than the left one', text)
    assert float(shown[1]) == pytest.approx(abs(100 * zoom - 100), abs=0.5)
    assert shown[2] == ('larger' if zoom > 1 else 'smaller')


def test_one_camera_as_both_is_told_though_its_noise_differs(room):
    text = told([(noisy(room.left, 1, 1), noisy(room.left, 1, 2))] * 3)[-1]
    assert 'one camera comes as both' in text and 'search range' not in text


@pytest.mark.parametrize('side', ['left', 'right'])
def test_a_covered_lens_is_named(room, side):
    black = noisy(np.full_like(room.left, 6), 2, 3)
    pair = (black, room.right) if side == 'left' else (room.left, black)
    text = told([pair] * 2)[1]
    assert text.startswith(f'{side} image is dark') and 'cap' in text


@pytest.mark.parametrize('share', [0.6, 1.0])
def test_a_saturated_image_is_named_with_its_share(room, share):
    white = room.right.copy()
    white[: round(share * 480)] = 255
    text = told([(room.left, white)] * 2)[1]
    assert text.startswith('right image is saturated (') and 'exposure' in text


def test_a_white_sky_above_what_is_matched_is_no_fault(room):
    white = np.full_like(room.left[:390], 255)
    left, right = (np.vstack([white, side[390:]]) for side in (room.left, room.right))
    assert told([(left, right)] * 3) == [''] * 3


@pytest.mark.parametrize('side', ['left', 'right'])
def test_the_side_that_repeats_alone_is_frozen(room, side):
    pairs = []
    for number in range(4):
        pair = {'left': noisy(room.left, 1, number), 'right': noisy(room.right, 1, 50 + number)}
        pair[side] = room.left if side == 'left' else room.right
        pairs.append((pair['left'], pair['right']))
    assert told(pairs)[3].startswith(f'{side} image is frozen')


def test_a_side_that_shows_noise_alone_is_named_beside_a_simulated_one(room):
    wall = np.full_like(room.left, 150)
    pairs = [(noisy(wall, 1, number), room.right) for number in range(5)]
    assert told(pairs)[4].startswith('left image shows nothing but noise')


def test_objects_nearer_than_min_depth_are_told_with_their_depth(room):
    text = told([(room.left, room.right)] * 2, min_depth=10.0, max_depth=20.0)[1]
    assert 'objects are nearer than what is searched' in text and 'lower min_depth to' in text


def test_a_single_pair_is_explained_at_once(room):
    def explained(left, right):
        command = StereoCommand(left=left, right=right, rig=RIG, settings=StereoSettings())
        return explain_pair(command, PIPELINE.run(command))

    assert explained(room.left, room.right) == ''
    assert 'swapped' in explained(room.right, room.left)
    assert explained(room.left, np.full_like(room.right, 255)).startswith('right image is satur')


def test_objects_beyond_max_depth_are_told(room):
    text = told([(room.left, room.right)] * 2, min_depth=0.2, max_depth=0.5)[1]
    assert 'raise max_depth to' in text


def test_a_plain_wall_is_blank_and_one_with_a_poster_is_not(room):
    wall = np.full((480, 640), 180, np.uint8)
    poster = cv2.cvtColor(room.left[:120, :120], cv2.COLOR_RGB2GRAY)
    left, right = wall.copy(), wall.copy()
    left[180:300, 300:420] = right[180:300, 280:400] = poster
    assert told([(noisy(left, 1, 1), noisy(right, 1, 2))] * 3) == [''] * 3
    assert 'plain wall' in told([(noisy(wall, 1, 1), noisy(wall, 1, 2))] * 2)[1]


def test_cameras_that_see_different_things_are_told(room):
    text = told([(room.left, np.flipud(room.right).copy())] * 2)[1]
    assert 'nothing in common' in text or 'matches' in text


@pytest.mark.parametrize(('height', 'width'), [(1, 32), (16, 16), (40, 2000), (300, 24)])
def test_small_images_are_no_fault(height, width):
    camera = Intrinsics(width=width, height=height, fx=50, fy=50, cx=width / 2, cy=height / 2)
    image = np.random.default_rng(0).integers(0, 250, (height, width), np.uint8)
    assert told([(image, image)] * 2, StereoRig(left=camera, baseline_m=0.1))
