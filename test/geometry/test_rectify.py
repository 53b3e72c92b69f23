# SPDX-License-Identifier: Apache-2.0
"""Rectification against the projection formulas of each distortion model, written out here."""

from dataclasses import replace

import numpy as np
import pytest

from vizion3d_ros.contracts.calibration import CameraCalibration
from vizion3d_ros.contracts.errors import CalibrationError
from vizion3d_ros.geometry.rectify import rectify

WIDTH, HEIGHT, FOCAL_PX = 64, 48, 50.0
CX, CY = 30.0, 25.0
LEVELS = 4  # grey levels a pixel: what is read tells where it was read to a quarter of a pixel
K = (FOCAL_PX, 0.0, CX, 0.0, FOCAL_PX, CY, 0.0, 0.0, 1.0)
P = (FOCAL_PX, 0.0, CX, 0.0, 0.0, FOCAL_PX, CY, 0.0, 0.0, 0.0, 1.0, 0.0)
PLAIN = CameraCalibration(WIDTH, HEIGHT, K, P, distortion_model='plumb_bob', d=(0.0,) * 5)
PLUMB_BOB = (-0.3, 0.12, 0.004, -0.006, 0.02)
RATIONAL = (0.4, -0.2, 0.003, 0.002, 0.01, 0.6, -0.1, 0.02)
FISHEYE = (0.05, -0.02, 0.01, -0.003)


def polynomial(x, y, k1, k2, p1, p2, k3=0.0, *denominator):
    """Brown's model, with the rational radial factor where there are numbers for it."""
    square = x * x + y * y
    k4, k5, k6 = denominator or (0.0, 0.0, 0.0)
    radial = (1 + square * (k1 + square * (k2 + square * k3))) / (
        1 + square * (k4 + square * (k5 + square * k6))
    )
    return (
        x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
        y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y,
    )


def equidistant(x, y, k1=0.0, k2=0.0, k3=0.0, k4=0.0):
    """Kannala and Brandt: the radius is a polynomial of the angle."""
    radius = np.hypot(x, y)
    angle = np.arctan(radius)
    square = angle * angle
    bent = angle * (1 + square * (k1 + square * (k2 + square * (k3 + square * k4))))
    factor = np.where(radius > 1e-9, bent / np.maximum(radius, 1e-9), 1.0)
    return x * factor, y * factor


LENSES = {
    'plumb_bob': (polynomial, PLUMB_BOB),
    'rational_polynomial': (polynomial, RATIONAL),
    'equidistant': (equidistant, FISHEYE),
}


def raw_places(calibration, lens):
    """Where each rectified pixel lies in the raw image: columns and rows, (H, W)."""
    width, height = calibration.image_size
    rectified, raw = calibration.intrinsics(), calibration.raw_intrinsics()
    rows, columns = np.mgrid[:height, :width].astype(float)
    rays = np.stack(
        [
            (columns - rectified.cx) / rectified.fx,
            (rows - rectified.cy) / rectified.fy,
            np.ones_like(rows),
        ]
    )
    turn = np.reshape(calibration.r, (3, 3))
    x, y, z = np.einsum('ji,jhw->ihw', turn, rays)  # R turns raw rays into rectified ones
    x, y = lens(x / z, y / z, *calibration.d)
    return x * raw.fx + raw.cx, y * raw.fy + raw.cy


def assert_rectifies(calibration, lens):
    """Every pixel is read where the formulas say, and black where that is outside."""
    width, height = calibration.image_size
    rows, columns = np.mgrid[:height, :width]
    to_the_right, down = (LEVELS * columns).astype(np.uint8), (LEVELS * rows).astype(np.uint8)
    raw_columns, raw_rows = raw_places(calibration, lens)
    inside = (raw_columns > 0) & (raw_columns < width - 1)
    inside &= (raw_rows > 0) & (raw_rows < height - 1)
    assert inside.mean() > 0.5
    for picture, places in ((to_the_right, raw_columns), (down, raw_rows)):
        answer = rectify(picture, calibration)
        assert answer.shape == (height, width) and answer.dtype == np.uint8
        off_px = answer[inside] / LEVELS - places[inside]
        assert np.abs(off_px).max() < 0.2
    outside = (raw_columns < -1) | (raw_columns > width) | (raw_rows < -1) | (raw_rows > height)
    assert (rectify(np.full((height, width), 200, np.uint8), calibration)[outside] == 0).all()
    return np.hypot(raw_columns - columns, raw_rows - rows)[inside].max()


def bent(model, **changes):
    return replace(PLAIN, distortion_model=model, d=LENSES[model][1], **changes)


@pytest.mark.parametrize('model', LENSES)
def test_each_lens_is_undone_as_its_formula_says(model):
    lens, _ = LENSES[model]
    moved_px = assert_rectifies(bent(model), lens)
    assert moved_px > 2, 'the lens must matter'


def turned(yaw_deg, roll_deg):
    yaw, roll = np.radians([yaw_deg, roll_deg])
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    return tuple(np.matmul(about_y, about_z).ravel().tolist())


@pytest.mark.parametrize('model', LENSES)
def test_the_rotation_of_a_stereo_rectification_is_applied(model):
    lens, _ = LENSES[model]
    assert_rectifies(bent(model, r=turned(4.0, -3.0)), lens)


def test_a_rotation_alone_is_reason_enough():
    calibration = replace(PLAIN, r=turned(0.0, 5.0))
    assert assert_rectifies(calibration, polynomial) > 2


def test_the_rectified_camera_may_see_less_or_more():
    p = (70.0, 0.0, 35.0, -9.0, 0.0, 60.0, 20.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    assert_rectifies(replace(PLAIN, p=p), polynomial)
    assert_rectifies(bent('plumb_bob', p=p), polynomial)


def test_binned_and_cropped_images_are_undone_in_their_own_pixels():
    full = tuple(2 * number if number not in (0.0, 1.0) else number for number in K)
    projection = tuple(2 * number if number not in (0.0, 1.0) else number for number in P)
    binned = replace(bent('plumb_bob'), width=128, height=96, k=full, p=projection, binning=(2, 2))
    assert binned.image_size == (WIDTH, HEIGHT)
    assert_rectifies(binned, polynomial)
    assert_rectifies(bent('plumb_bob', roi=(8, 4, 48, 40)), polynomial)


@pytest.mark.parametrize('d', [(), (0.0,) * 5])
@pytest.mark.parametrize('r', [PLAIN.r, (0.0,) * 9])
def test_an_ideal_camera_costs_no_copy(d, r):
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert rectify(picture, replace(PLAIN, d=d, r=r)) is picture


@pytest.mark.parametrize('d', [(), (0.0,) * 4])
def test_an_equidistant_lens_bends_lines_even_without_coefficients(d):
    calibration = replace(PLAIN, distortion_model='equidistant', d=d)
    assert assert_rectifies(calibration, equidistant) > 1


def test_a_turned_camera_without_coefficients_will_do():
    assert_rectifies(
        replace(PLAIN, distortion_model='', d=(), r=turned(3.0, 0.0)),
        lambda x, y: (x, y),
    )


def test_colours_stay_colours_and_the_input_stays_as_it_was():
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    before = picture.copy()
    answer = rectify(picture, bent('plumb_bob'))
    for channel in range(3):
        alone = rectify(np.ascontiguousarray(picture[..., channel]), bent('plumb_bob'))
        np.testing.assert_array_equal(answer[..., channel], alone)
    np.testing.assert_array_equal(picture, before)


def test_a_changed_calibration_takes_effect():
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    answers = [rectify(picture, bent(model)) for model in ('plumb_bob', 'equidistant')]
    again = rectify(picture, bent('plumb_bob'))
    np.testing.assert_array_equal(answers[0], again)
    assert (answers[0] != answers[1]).mean() > 0.5


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'distortion_model': 'cylinder'}, ("'cylinder'", 'plumb_bob', 'equidistant')),
        ({'distortion_model': ''}, ("''", 'plumb_bob')),
        ({'d': (0.1, 0.2)}, ('2 coefficients', '4, 5')),
        ({'distortion_model': 'equidistant'}, ('5 coefficients',)),
        ({'d': (0.1, np.nan, 0.0, 0.0, 0.0)}, ('D = ', 'nan', 'finite')),
        ({'r': (np.inf,) * 9}, ('R = ', 'inf')),
        ({'r': (2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0)}, ('R = ', 'a rotation')),
        ({'r': (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)}, ('R = ', 'a rotation')),
        ({'r': (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)}, ('R = ', '180 degrees aside')),
        ({'d': (1e30,) * 5}, ('shows 0% of the rectified', 'D = [1e+30, ')),
        ({'d': (-1200.0, 350.0, 0.1, 0.2, 900.0)}, ('of the rectified', 'D = [-1200, ')),
        ({'k': (*K[:4], 0.0, *K[5:])}, ('K[4] = 0', 'positive')),
        ({'width': 128}, ('64x48', '128x48', 'camera_info')),
    ],
)
def test_what_cannot_be_undone_is_named(changes, words):
    with pytest.raises(CalibrationError) as caught:
        rectify(np.zeros((HEIGHT, WIDTH), np.uint8), replace(bent('plumb_bob'), **changes))
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_size_that_is_only_claimed_takes_no_memory():
    k, p = (tuple(2**25 * n if n not in (0.0, 1.0) else n for n in numbers) for numbers in (K, P))
    huge = replace(bent('plumb_bob'), width=2**25 * WIDTH, height=2**25 * HEIGHT, k=k, p=p)
    with pytest.raises(CalibrationError, match='raw image is 64x48 but the calibration is for'):
        rectify(np.zeros((HEIGHT, WIDTH), np.uint8), huge)
