# SPDX-License-Identifier: Apache-2.0
"""CameraInfo contents to a rig, and every fault by its own text."""

import math
import re
from dataclasses import replace

import pytest

from vizion3d_ros.contracts.calibration import CameraCalibration, Severity, calibrate

FX, BASELINE = 400.0, 0.12
K = (FX, 0, 320, 0, FX, 240, 0, 0, 1)


def projection(fx=FX, fy=FX, cx=320.0, cy=240.0, tx=0.0):
    return (fx, 0, cx, tx, 0, fy, cy, 0, 0, 0, 1, 0)


def left(**changes):
    return replace(CameraCalibration(width=640, height=480, k=K, p=projection()), **changes)


def right(**changes):
    return left(**{'p': projection(tx=-FX * BASELINE), **changes})


def only_fault(calibration):
    assert len(calibration.faults) == 1, calibration.faults
    return calibration.faults[0]


def test_a_good_pair_gives_the_rig_and_no_fault():
    calibration = calibrate(left(), right())
    assert calibration.faults == ()
    assert calibration.rig.baseline_m == pytest.approx(BASELINE)
    assert calibration.rig.doffs == 0
    camera = calibration.rig.left
    assert (camera.width, camera.height) == (640, 480)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (FX, FX, 320, 240)


@pytest.mark.parametrize('cx_right', [332.5, 310.0])
def test_doffs_is_right_minus_left_principal_point(cx_right):
    calibration = calibrate(left(), right(p=projection(cx=cx_right, tx=-FX * BASELINE)))
    assert calibration.faults == ()
    assert calibration.rig.doffs == cx_right - 320


@pytest.mark.parametrize('k', [(1.0, 0, 2, 0, 3.0, 4, 0, 0, 1), (0.0,) * 9, (math.nan,) * 9])
@pytest.mark.parametrize('r', [(0.0,) * 9, (math.nan,) * 9, (1.0, 0, 0, 0, 1, 0, 0, 0, 1)])
@pytest.mark.parametrize('d', [(), (0.0,) * 5, (math.nan,) * 5])
def test_p_alone_is_enough(k, r, d):
    calibration = calibrate(left(k=k, r=r, d=d), right(k=k, r=r, d=d))
    assert calibration == calibrate(left(), right())
    assert not left(d=d).distorted


@pytest.mark.parametrize(
    'bad',
    [
        {'k': (0.0,) * 9, 'p': (0.0,) * 12},
        {'p': (0.0,) * 12},
        {'p': (math.nan,) * 12},
        {'p': projection(fx=math.nan)},
        {'p': projection(fx=math.inf)},
        {'p': projection(fy=0.0)},
        {'p': projection(fx=-FX)},
        {'p': projection(cx=math.nan)},
        {'p': projection(tx=math.nan)},
    ],
)
@pytest.mark.parametrize('side', ['left', 'right'])
def test_uncalibrated_or_not_finite_gives_nothing(bad, side):
    pair = (left(**bad), right()) if side == 'left' else (left(), right(**bad))
    calibration = calibrate(*pair)
    fault = only_fault(calibration)
    assert calibration.rig is None
    assert fault.severity is Severity.NO_OUTPUT
    assert fault.text.startswith(f'{side} camera_info is uncalibrated')
    assert 'calibrate the camera' in fault.text


def test_what_both_cameras_have_is_said_once():
    blank = left(p=(0.0,) * 12)
    fault = only_fault(calibrate(blank, blank))
    assert fault.text.startswith('camera_info of both cameras is uncalibrated')


@pytest.mark.parametrize('bad', [{'p': projection(cx=math.nan)}, {'p': projection(tx=math.inf)}])
def test_the_number_that_is_not_finite_is_quoted(bad):
    text = only_fault(calibrate(left(), right(**bad))).text
    assert re.search('= (nan|inf)', text), text


@pytest.mark.parametrize(
    'size', [{'width': 0}, {'height': 0}, {'width': 0, 'height': 0}, {'binning': (1000, 1)}]
)
def test_a_camera_info_without_image_size_is_a_fault_not_an_exception(size):
    calibration = calibrate(left(**size), right(**size))
    assert calibration.rig is None
    assert calibration.faults[0].severity is Severity.NO_OUTPUT


@pytest.mark.parametrize(
    ('changes', 'name'),
    [
        ({'width': 320}, 'image width'),
        ({'height': 240}, 'image height'),
        ({'p': projection(fx=FX * 1.006, tx=-48)}, 'fx'),
        ({'p': projection(fy=FX * 0.994, tx=-48)}, 'fy'),
        ({'p': projection(cy=241.5, tx=-48)}, 'cy'),
    ],
)
def test_a_pair_not_rectified_together_is_refused(changes, name):
    calibration = calibrate(left(), right(**changes))
    fault = only_fault(calibration)
    assert calibration.rig is None
    assert fault.severity is Severity.NO_OUTPUT
    assert fault.text.startswith(f'{name} differs between the cameras (left ')
    assert 'image_proc' in fault.text


@pytest.mark.parametrize(
    'p',
    [
        projection(fx=FX * 1.004, tx=-48),
        projection(fy=FX * 0.996, tx=-48),
        projection(cy=240.9, tx=-48),
    ],
)
def test_small_differences_pass(p):
    assert calibrate(left(), right(p=p)).faults == ()


@pytest.mark.parametrize(
    ('left_tx', 'right_tx', 'fragment'),
    [
        (0.0, 0.0, 'right camera_info has P[3] = 0, so there is no baseline'),
        (0.0, 48.0, 'right camera_info has P[3] = 48, expected a negative number'),
        (-5.0, -48.0, 'left camera_info has P[3] = -5 where 0 is expected'),
    ],
)
def test_an_unusable_baseline_leaves_disparity(left_tx, right_tx, fragment):
    pair = left(p=projection(tx=left_tx)), right(p=projection(tx=right_tx))
    calibration = calibrate(*pair)
    fault = only_fault(calibration)
    assert calibration.rig.baseline_m is None
    assert fault.severity is Severity.NO_DEPTH
    assert fault.text.startswith(fragment)
    assert 'set the parameter baseline_m' in fault.text
    assert fault.text.endswith('Publishing disparity only')


def test_swapped_cameras_are_told_in_one_sentence():
    fault = only_fault(calibrate(right(), left()))
    assert fault.severity is Severity.NO_DEPTH
    assert fault.text.startswith('left camera_info has P[3] = -48 and the right one 0')
    assert 'exchange their topics' in fault.text


@pytest.mark.parametrize('right_tx', [0.0, 48.0, -48.0])
def test_the_parameter_replaces_the_baseline_and_its_faults(right_tx):
    calibration = calibrate(left(), right(p=projection(tx=right_tx)), baseline_m=0.2)
    assert calibration.faults == ()
    assert calibration.rig.baseline_m == 0.2


def test_the_parameter_does_not_excuse_a_pair_not_rectified():
    assert calibrate(left(), right(width=320), baseline_m=0.2).rig is None


def test_binning_divides_pixels_and_keeps_metres():
    rig = calibrate(left(binning=(2, 4)), right(binning=(2, 4))).rig
    assert (rig.left.width, rig.left.height) == (320, 120)
    assert (rig.left.fx, rig.left.fy, rig.left.cx, rig.left.cy) == (FX / 2, FX / 4, 160, 60)
    assert rig.baseline_m == pytest.approx(BASELINE)


@pytest.mark.parametrize('binning', [(0, 0), (1, 1), (0, 1)])
def test_binning_zero_means_one(binning):
    assert calibrate(left(binning=binning), right()).rig == calibrate(left(), right()).rig


def test_region_of_interest_shifts_the_principal_point():
    roi = (100, 50, 400, 300)
    rig = calibrate(left(roi=roi), right(roi=roi)).rig
    assert (rig.left.width, rig.left.height) == (400, 300)
    assert (rig.left.cx, rig.left.cy) == (220, 190)
    assert rig.doffs == 0


def test_regions_at_different_columns_show_in_doffs():
    rig = calibrate(left(roi=(100, 0, 400, 480)), right(roi=(60, 0, 400, 480))).rig
    assert rig.doffs == 40


def test_region_of_interest_and_binning_together():
    both = {'roi': (100, 50, 400, 300), 'binning': (2, 2)}
    rig = calibrate(left(**both), right(**both)).rig
    assert (rig.left.width, rig.left.height) == (200, 150)
    assert (rig.left.cx, rig.left.cy) == (110, 95)
    assert rig.left.fx == FX / 2


def test_equal_contents_compare_equal():
    assert left() == left()
    assert left() != right()


RAW_K = (380.0, 0, 310, 0, 390.0, 250, 0, 0, 1)


def test_raw_images_have_the_intrinsics_of_k_and_rectified_ones_those_of_p():
    calibration = left(k=RAW_K)
    raw, rectified = calibration.raw_intrinsics(), calibration.intrinsics()
    assert (raw.fx, raw.fy, raw.cx, raw.cy) == (380.0, 390.0, 310, 250)
    assert (rectified.fx, rectified.fy, rectified.cx, rectified.cy) == (FX, FX, 320, 240)
    assert (raw.width, raw.height) == (rectified.width, rectified.height) == (640, 480)


def test_binning_and_region_of_interest_apply_to_raw_images_alike():
    raw = left(k=RAW_K, roi=(100, 50, 400, 300), binning=(2, 5)).raw_intrinsics()
    assert (raw.width, raw.height) == (200, 60)
    assert (raw.fx, raw.fy, raw.cx, raw.cy) == (190.0, 78.0, 105, 40)


@pytest.mark.parametrize(
    ('d', 'distorted'),
    [((), False), ((0.0,) * 5, False), ((0.0, 0.0, 1e-6, 0.0), True), ((-0.3,) * 8, True)],
)
def test_a_lens_distorts_if_any_coefficient_is_not_zero(d, distorted):
    assert left(d=d).distorted == distorted


@pytest.mark.parametrize('changes', [{'d': (0.1,)}, {'r': (0.0,) * 9}, {'distortion_model': 'x'}])
def test_what_rectification_needs_is_part_of_the_content(changes):
    assert left(**changes) != left()
    assert hash(left(**changes)) == hash(left(**changes))


def test_a_defect_is_told_in_words_and_a_good_calibration_has_none():
    assert left().defect() == ''
    assert left(p=(0.0,) * 12).defect() == (
        'is uncalibrated (P[0] = 0, P[5] = 0; both must be positive, and K[0] = 400 cannot stand '
        'in for it): calibrate the camera, or load its calibration in the driver'
    )
    assert left(binning=(1000, 1)).defect() == (
        'is for images of 0x480, expected the real size: have the driver fill width and height'
    )
