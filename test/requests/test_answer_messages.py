# SPDX-License-Identifier: Apache-2.0
"""What an answer says of itself by every door: why it is empty, and what was assumed for it."""

import numpy as np
import pytest
from known_answers import KnownNetwork, noise, serve_network
from numpy.testing import assert_array_equal

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.errors import BackendError, InputError
from vizion3d_ros.contracts.mono_request import (
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)
from vizion3d_ros.contracts.stereo_request import StereoDepthAdvancedConfig, StereoDepthCommand
from vizion3d_ros.pipeline import MonoPipeline, StereoPipeline
from vizion3d_ros.requests.mono import answer_mono
from vizion3d_ros.requests.stereo import answer_stereo, prepare_stereo

WIDTH, HEIGHT = 320, 240
CAMERA = {'focal_length': 200.0, 'baseline': 100.0, 'cx': 159.5, 'cy': 119.5}
PIPELINE = StereoPipeline('cpu')


@pytest.fixture
def wall(make_pair):
    """A wall at 2 m and a square before it."""
    return make_pair(WIDTH, HEIGHT, background=10, foreground=20)


def message(left, right, config, **fields):
    request = StereoDepthCommand(
        left_image=left,
        right_image=right,
        model_backend='opencv-sgbm',
        advanced_config=StereoDepthAdvancedConfig(**config),
        **fields,
    )
    return answer_stereo(request, PIPELINE.run).answer.message


def test_a_good_answer_says_nothing(wall):
    assert message(wall.left, wall.right, CAMERA, return_point_cloud=True) == ''


def test_an_answer_without_depth_says_why_in_the_words_of_a_request(wall):
    swapped = message(wall.right, wall.left, CAMERA)
    assert swapped.endswith('exchange left_image and right_image')
    near = message(wall.left, wall.right, {**CAMERA, 'baseline': 10.0})
    assert 'lower min_depth_mm to 8' in near and 'or correct the baseline' in near
    far = message(wall.left, wall.right, {**CAMERA, 'min_depth_mm': 100, 'max_depth_mm': 400})
    assert 'which is 2000 mm: raise max_depth_mm to 2400 mm' in far


def test_images_too_narrow_for_what_is_searched_are_told_with_what_would_do(wall):
    narrow = message(wall.left[:, :16], wall.right[:, :16], {**CAMERA, 'cx': 8.0})
    assert narrow.startswith('only 0.0% of the pixels have a disparity; min_depth_mm 500 mm')
    assert 'images 16 px wide hold 15 at most: raise min_depth_mm to 1350 mm' in narrow


def test_doffs_of_the_wrong_sign_are_named_beside_swapped_images(wall):
    text = message(wall.left, wall.right, {**CAMERA, 'doffs': -30.0})
    assert 'exchange left_image and right_image, or correct doffs (-30 px, cx of the right' in text


def test_a_pair_that_is_not_rectified_has_the_cure_of_a_request(wall):
    lower = message(wall.left, np.roll(wall.right, 6, 0), CAMERA)
    assert 'right image is 6.0 px lower' in lower and lower.endswith('rectify the images first')


def test_depths_that_the_rig_cannot_tell_apart_are_named_as_the_request_names_them(wall):
    with pytest.raises(InputError, match='min_depth_mm 800000 mm to max_depth_mm 900000 mm are'):
        message(wall.left, wall.right, {**CAMERA, 'min_depth_mm': 8e5, 'max_depth_mm': 9e5})


def test_one_image_as_both_is_named(wall):
    text = message(wall.left, wall.left.copy(), CAMERA)
    assert text.startswith('left and right images are the same in every pixel')
    assert text.endswith('give the image of the other camera')
    flat = np.full_like(wall.left, 90)
    assert 'the same' not in message(flat, flat, CAMERA)


@pytest.mark.parametrize(
    ('given', 'told'),
    [
        ({}, 'gives no calibration, so its defaults were used'),
        ({'focal_length': 200.0}, 'gives no baseline but its default of 100 mm'),
        ({'baseline': 120.0}, 'gives no focal_length but its default of 1000 px'),
        ({'focal_length': 200.0, 'baseline': 100.0}, ''),
        ({'focal_length': 1000.0, 'baseline': 100.0}, ''),  # given, whatever the defaults are
    ],
    ids=str,
)
def test_metres_that_were_assumed_are_told(wall, given, told):
    text = message(wall.left, wall.right, given)
    assert told in text and bool(told) is bool(text)
    assert not told or 'Metres hold for such a rig only' in text


@pytest.mark.parametrize(
    ('changes', 'told'),
    [
        ({'cx': None, 'cy': None}, 'gives no cx and cy, so their defaults, 640 and 360 px'),
        ({'cx': 1000.0, 'cy': 900.0}, 'more than a whole image away'),
        ({'fy': 2000.0}, 'where cameras have square pixels'),
        ({'z_far': 0.6}, 'the cloud is empty: no pixel has a depth below z_far 0.6 m'),
    ],
    ids=str,
)
def test_a_cloud_that_is_empty_or_beside_its_place_is_told(wall, changes, told):
    config = {name: value for name, value in {**CAMERA, **changes}.items() if value is not None}
    assert told in message(wall.left, wall.right, config, return_point_cloud=True)
    assert message(wall.left, wall.right, config) == '', 'without a cloud nothing is wrong'


@pytest.mark.parametrize(
    ('point', 'size'),
    [((319.5, 239.5), '640x480'), ((79.5, 59.5), '160x120'), ((119.5, 159.5), '240x320')],
)
def test_a_calibration_of_another_size_is_refused_with_that_size(wall, point, size):
    config = StereoDepthAdvancedConfig(**{**CAMERA, 'cx': point[0], 'cy': point[1]})
    request = StereoDepthCommand(
        left_image=wall.left, right_image=wall.right, advanced_config=config
    )
    with pytest.raises(
        InputError, match=f'middle of images of {size}, in images of 320x240.* cx and cy out'
    ):
        prepare_stereo(request)


@pytest.mark.parametrize('baseline_m', [None, 0.2])
def test_a_known_rig_without_a_baseline_makes_no_metres(wall, baseline_m):
    camera = Intrinsics(width=WIDTH, height=HEIGHT, fx=200.0, fy=200.0, cx=159.5, cy=119.5)
    known = StereoRig(left=camera, baseline_m=baseline_m)
    request = StereoDepthCommand(left_image=wall.left, right_image=wall.right)
    if baseline_m:
        assert prepare_stereo(request, known=known).rig is known
        return
    with pytest.raises(InputError, match='gives no baseline that a rig can have'):
        prepare_stereo(request, known=known)
    given = request.model_copy(update={'advanced_config': StereoDepthAdvancedConfig(**CAMERA)})
    assert prepare_stereo(given, known=known).rig.baseline_m == 0.1


@pytest.mark.parametrize(
    'error',
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        InputError('left_image: PNG image is damaged: Insufficient memory'),  # as OpenCV says it
    ],
    ids=repr,
)
def test_memory_that_runs_out_beside_the_pipeline_is_told(monkeypatch, error):
    def short(*_):
        raise error

    monkeypatch.setattr('vizion3d_ros.requests.stereo.read_pair', short)
    with pytest.raises(BackendError, match='not enough memory for this request: send smaller im'):
        message(b'', b'', {})


# --- one image -------------------------------------------------------------------------------


@pytest.fixture
def mono(monkeypatch):
    """Call it with an image to get what is said of an answer of 3 m everywhere."""
    serve_network(monkeypatch, KnownNetwork(3.0, metric=True))

    def ask(image, config, **fields):
        config = DepthEstimationAdvanceConfig(**config)
        request = DepthEstimationCommand(image_input=image, advanced_config=config, **fields)
        answered = answer_mono(request, MonoPipeline('cpu').run).answer
        assert_array_equal(answered.depth, 3.0)
        return answered.message

    return ask


CENTRED = {'fx': 300.0, 'cx': 159.5, 'cy': 119.5}


@pytest.mark.parametrize(
    ('image', 'told'),
    [
        (noise(HEIGHT, WIDTH), ''),
        (np.zeros((HEIGHT, WIDTH), np.uint8), 'image is dark'),
        (np.full((HEIGHT, WIDTH), 255, np.uint8), 'image is saturated'),
        (np.full((HEIGHT, WIDTH), 99, np.uint8), 'nothing but noise'),
    ],
    ids=['good', 'dark', 'saturated', 'blank'],
)
def test_an_image_that_shows_nothing_is_told_beside_what_was_made_of_it(mono, image, told):
    text = mono(image, CENTRED, return_point_cloud=True)
    assert told in text and bool(told) is bool(text)


@pytest.mark.parametrize(
    ('config', 'told'),
    [
        ({}, 'gives no camera'),
        ({**CENTRED, 'fy': 100.0}, 'where cameras have square pixels'),
        ({**CENTRED, 'depth_trunc': 2.0}, 'the cloud is empty: no pixel has a depth below'),
    ],
    ids=str,
)
def test_what_makes_a_cloud_of_one_image_doubtful_is_told(mono, config, told):
    image = noise(HEIGHT, WIDTH)
    assert told in mono(image, config, return_point_cloud=True)
    assert mono(image, config) == ''
