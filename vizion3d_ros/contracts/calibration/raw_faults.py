# SPDX-License-Identifier: Apache-2.0
"""What a CameraInfo lacks when its raw images are to be rectified."""

from __future__ import annotations

import math

import numpy as np

from vizion3d_ros.contracts.calibration.camera import CameraCalibration, is_given
from vizion3d_ros.contracts.calibration.camera_faults import unlikely_point, unlikely_view
from vizion3d_ros.contracts.calibration.faults import Fault, Severity
from vizion3d_ros.contracts.calibration.lens import read_lens
from vizion3d_ros.contracts.errors import CalibrationError

ROTATION_TOLERANCE = 0.01
MOST_ASIDE_DEG = 60.0  # cameras that meet in what they see are turned by less
RECTIFIED_ALREADY = 'if the images are rectified already, set rectify to false'


def raw_faults(camera: CameraCalibration, pair: bool) -> list[Fault]:
    """
    List what keeps raw images from being rectified, and of a pair what makes it doubtful.

    Texts are to follow the words "camera_info".
    """
    text = _no_k(camera) or _no_numbers(camera) or _no_rotation(camera) or _no_lens(camera)
    if text:
        return [Fault(Severity.NO_OUTPUT, text)]
    at_work = camera.distorted or camera.raw_intrinsics() != camera.intrinsics()
    if pair and at_work and not is_given(camera.r):
        text = 'has no R, so its camera is taken to be parallel to the other'
        return [Fault(Severity.DOUBT, f'{text}: calibrate both as a stereo pair')]
    return []


def _no_numbers(camera: CameraCalibration) -> str:
    for name, values in (('K', camera.k), ('D', camera.d), ('R', camera.r)):
        partly = is_given(values) or name == 'D'
        if partly and not all(map(math.isfinite, values)):
            return f'has {name} = {list(values)}, expected finite numbers: correct the calibration'
    return ''


def _no_rotation(camera: CameraCalibration) -> str:
    if not is_given(camera.r):  # the driver knows of no rectification
        return ''
    turn = np.reshape(camera.r, (3, 3))
    said = f'has R = {list(camera.r)}'
    orthonormal = np.allclose(turn @ turn.T, np.eye(3), atol=ROTATION_TOLERANCE)
    if not orthonormal or np.linalg.det(turn) < 0:
        return f'{said}, expected a rotation: correct the calibration'
    aside_deg = math.degrees(math.acos(np.clip(turn[2, 2], -1, 1)))
    if aside_deg <= MOST_ASIDE_DEG:
        return ''
    return (
        f'{said}, which turns the camera {aside_deg:.0f} degrees aside, expected at most '
        f'{MOST_ASIDE_DEG:g}: correct the calibration'
    )


def _no_k(camera: CameraCalibration) -> str:
    if not camera.knows_raw:
        return (
            f'has no K (K[0] = {camera.k[0]:g}, K[4] = {camera.k[4]:g}, expected positive focal '
            f'lengths of the raw image), which rectify needs: fill K; {RECTIFIED_ALREADY}'
        )
    return unlikely_view('K[0]', camera.k[0], camera.width) or unlikely_point(
        'K', camera, camera.k[2], camera.k[5]
    )


def _no_lens(camera: CameraCalibration) -> str:
    try:
        read_lens(camera.distortion_model, camera.d)
    except CalibrationError as error:
        return str(error)
    return ''
