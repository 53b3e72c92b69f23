# SPDX-License-Identifier: Apache-2.0
"""Calibrations whose numbers are there but make no sense; and healthy ones that look odd."""

from dataclasses import replace

import pytest

from vizion3d_ros.contracts.calibration import CameraCalibration, Severity, calibrate
from vizion3d_ros.contracts.calibration.depth_range import depth_range_faults
from vizion3d_ros.contracts.calibration.wording import NODE
from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings

WIDTH, HEIGHT = 640, 480


def camera(fx=400.0, fy=None, cx=320.0, cy=240.0, tx=0.0, elements=None, **changes):
    """A camera by its P, K the same; elements: numbers of P by index."""
    p = [fx, 0.0, cx, tx, 0.0, fy or fx, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    for index, value in (elements or {}).items():
        p[index] = value
    k = (fx, 0.0, cx, 0.0, fy or fx, cy, 0.0, 0.0, 1.0)
    plain = CameraCalibration(width=WIDTH, height=HEIGHT, k=k, p=tuple(p))
    return replace(plain, **changes)


def texts(baseline_m=0.1, **both):
    """What is said of a pair that is fine but for the given changes."""
    fx = both.get('fx', 400.0)
    calibration = calibrate(camera(**both), camera(tx=-fx * baseline_m, **both))
    return calibration, ' '.join(fault.text for fault in calibration.faults)


@pytest.mark.parametrize('baseline_m', [0.0011, 0.005, 0.05, 0.12, 0.54, 3.0])
@pytest.mark.parametrize('fx', [150.0, 700.0, 4000.0])
def test_rigs_from_endoscopes_to_vehicles_are_taken_as_they_are(baseline_m, fx):
    calibration, said = texts(baseline_m, fx=fx)
    assert said == ''
    assert calibration.rig.baseline_m == pytest.approx(baseline_m)


@pytest.mark.parametrize(
    ('baseline_m', 'guess'),
    [
        (120.0, 'in millimetres (0.12 m)'),
        (50.0, 'in millimetres (0.05 m)'),
        (12.0, 'in centimetres (0.12 m)'),
        (4.7244, 'in inches (0.12 m)'),
        (0.00012, '1000 times too small (0.12 m)'),
        (0.1 / 400, 'the bare baseline, not -fx * baseline (0.1 m)'),
        (1e-9, 'expected 0.001 to 4 m'),
        (1e9, 'expected 0.001 to 4 m'),
    ],
)
def test_a_baseline_that_no_rig_has_gives_disparity_only_and_a_guess(baseline_m, guess):
    calibration, said = texts(baseline_m)
    assert guess in said and 'Publishing disparity only' in said
    assert calibration.rig.baseline_m is None


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'cx': 0.5, 'cy': 0.5}, 'give cx and cy in pixels'),
        ({'cx': 160.0, 'cy': 120.0}, 'the middle of images of 320x240'),
        ({'cx': 640.0, 'cy': 480.0}, 'the middle of images of 1280x960'),
        ({'cx': 960.0, 'cy': 720.0}, 'the middle of images of 1920x1440'),
        ({'cx': 485.0, 'cy': 355.0}, 'the middle of images of 960x720'),
        ({'cx': 645.0, 'cy': 360.0}, 'the middle of images of about 1290x720'),
        ({'cx': 213.0, 'cy': 160.0}, 'the middle of images of 427x320'),
        ({'cx': 160.0, 'cy': 120.0, 'binning': (2, 2)}, 'P is binned already'),
        ({'cx': 240.0, 'cy': 320.0}, 'width and height are swapped'),
        ({'cx': 5000.0}, 'more than a whole image away'),
        ({'fx': 0.8}, 'give focal lengths in pixels'),
        ({'fx': 1e6}, 'give focal lengths in pixels'),
        ({'elements': {10: 0.5}}, 'P[10] = 0.5 where 1 is expected'),
        ({'elements': {1: 30.0}}, 'P[1] = 30 where 0 is expected'),
    ],
)
def test_numbers_that_cannot_be_of_these_images_are_named(changes, words):
    calibration, said = texts(**changes)
    assert words in said
    assert calibration.rig.baseline_m is None


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'elements': {10: 0.0}}, 'P[10] = 0 where 1 is expected'),
        ({'fx': 400.0, 'fy': 600.0}, 'square pixels'),
        ({'roi': (100, 40, 640, 480)}, 'has a roi up to (740, 520) px in images of 640x480'),
        ({'roi': (0, 8, 0, 0)}, 'give width and height of the whole sensor, or leave roi 0'),
        ({'k': (800.0, 0.0, 640.0, 0.0, 800.0, 480.0, 0.0, 0.0, 1.0)}, 'exactly 2 times'),
    ],
)
def test_what_may_be_right_is_doubted_and_used(changes, words):
    calibration, said = texts(**changes)
    assert words in said
    assert calibration.rig.baseline_m == pytest.approx(0.1)


@pytest.mark.parametrize(
    'changes',
    [
        {'cx': 290.0, 'cy': 265.0},
        {'cx': -100.0},  # a crop
        {'cy': 600.0},
        {'cx': 20.0, 'cy': 150.0},
        {'cx': 417.7, 'cy': 225.7},  # cameras that look towards each other
        {'roi': (0, 0, 640, 480)},
        {'fx': 400.0, 'fy': 390.0},
        {'width': 320, 'height': 240, 'cx': 160.0, 'cy': 120.0},
        {'binning': (2, 2)},
        {'roi': (160, 120, 320, 240), 'binning': (2, 2)},
        {'k': (430.0, 0.0, 322.0, 0.0, 431.0, 238.0, 0.0, 0.0, 1.0)},  # rectified with alpha
        {'k': (800.0, 0.0, 322.0, 0.0, 800.0, 238.0, 0.0, 0.0, 1.0)},  # and a wider view
    ],
)
def test_healthy_cameras_that_look_odd_are_left_alone(changes):
    assert texts(**changes)[1] == ''


def rig(baseline_m=0.1, fx=400.0, doffs=0.0):
    left = Intrinsics(width=WIDTH, height=HEIGHT, fx=fx, fy=fx, cx=320, cy=240)
    return StereoRig(left=left, baseline_m=baseline_m, doffs=doffs)


def range_faults(rig, near, far, **sgbm):
    settings = StereoSettings(min_depth=near, max_depth=far, sgbm=sgbm)
    return depth_range_faults(rig, settings, NODE)


@pytest.mark.parametrize(
    ('near', 'far', 'words'),
    [
        (100.0, 200.0, 'too few to tell depths'),
        (19.0, 21.0, 'too few to tell depths'),
        (0.011, 0.05, 'do not fit into images 640 px wide'),
        (500.0, 5000.0, 'too few to tell depths'),  # millimetres
    ],
)
def test_depths_that_the_rig_cannot_tell_apart_are_refused(near, far, words):
    (fault,) = range_faults(rig(), near, far)
    assert fault.severity is Severity.NO_DEPTH
    assert words in fault.text and 'change min_depth and max_depth' in fault.text


def test_a_range_that_begins_too_near_is_doubted_with_what_would_do():
    (fault,) = range_faults(rig(), 0.05, 50.0)
    assert fault.severity is Severity.DOUBT
    assert 'raise min_depth to 0.0632 m, or correct the baseline' in fault.text
    assert not range_faults(rig(), 0.0632, 50.0)


@pytest.mark.parametrize('doffs', [-50.0, 0.0, 120.0])
@pytest.mark.parametrize(('near', 'far'), [(0.5, 50.0), (0.2, 3.0), (2.0, 1000.0)])
def test_ranges_that_people_set_are_fine(near, far, doffs):
    assert not range_faults(rig(doffs=doffs), near, far)


@pytest.mark.parametrize('doffs', [-681.0, 721.0, 1e6])  # the first pixel too far
def test_doffs_that_leave_nothing_to_search_are_named(doffs):
    (fault,) = range_faults(rig(doffs=doffs), 0.5, 1000.0)
    assert fault.severity is Severity.NO_DEPTH
    assert f'doffs {doffs:.4g} px), which do not fit into images' in fault.text
    assert fault.text.endswith('or correct the baseline or doffs')


def test_an_explicit_range_of_disparities_is_not_judged_by_depths():
    assert not range_faults(rig(), 500.0, 900.0, disparity_range=64)
