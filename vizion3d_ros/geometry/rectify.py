# SPDX-License-Identifier: Apache-2.0
"""
Raw images become rectified ones: distortion removed, rows aligned, as CameraInfo describes it.

K and D take a ray to the raw image, R turns it into the rectified frame, P to its pixels
(sensor_msgs/CameraInfo). The maps are made once for each calibration.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vizion3d_ros.contracts.errors import CalibrationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.calibration import CameraCalibration
    from vizion3d_ros.contracts.camera import Intrinsics

FISHEYE = 'equidistant'  # bends straight lines even where all its coefficients are 0
COEFFICIENTS = {'plumb_bob': (4, 5), 'rational_polynomial': (8, 12, 14), FISHEYE: (4,)}
"""Distortion models and how many numbers each has."""

Maps = tuple['NDArray[Any]', 'NDArray[Any]']


def rectify(image: NDArray[np.uint8], calibration: CameraCalibration) -> NDArray[np.uint8]:
    """
    Rectify one raw image, uint8 (H, W) or (H, W, C); what the camera did not see is black.

    A network answers black pixels too: choose P so that none are left, as calibration tools do.

    An image without distortion and rotation comes back as it is. Raises CalibrationError for
    numbers, a model or a size that do not fit.
    """
    _check_numbers(calibration)
    if _changes_nothing(calibration):
        return image
    height, width = image.shape[:2]
    if (width, height) != calibration.image_size:
        expected = '{}x{}'.format(*calibration.image_size)
        raise CalibrationError(
            f'raw image is {width}x{height} but the calibration is for {expected}: '
            'use the camera_info of these images'
        )
    return np.asarray(cv2.remap(image, *_maps(calibration), cv2.INTER_LINEAR), np.uint8)


def _changes_nothing(calibration: CameraCalibration) -> bool:
    bent = calibration.distorted or calibration.distortion_model == FISHEYE
    turned = not np.allclose(_rotation(calibration), np.eye(3))
    return not bent and not turned and calibration.intrinsics() == calibration.raw_intrinsics()


@lru_cache(maxsize=4)
def _maps(calibration: CameraCalibration) -> Maps:
    _check_model(calibration)
    fisheye = calibration.distortion_model == FISHEYE
    make = cv2.fisheye.initUndistortRectifyMap if fisheye else cv2.initUndistortRectifyMap
    raw, rectified = _matrix(calibration.raw_intrinsics()), _matrix(calibration.intrinsics())
    coefficients = np.array(calibration.d)
    turn, size = _rotation(calibration), calibration.image_size
    maps = make(raw, coefficients, turn, rectified, size, cv2.CV_16SC2)
    return maps[0], maps[1]


def _rotation(calibration: CameraCalibration) -> NDArray[np.float64]:
    rotation = np.reshape(calibration.r, (3, 3))
    return rotation if rotation.any() else np.eye(3)  # zeros: the driver knows of no rectification


def _check_numbers(calibration: CameraCalibration) -> None:
    numbers = {'K': calibration.k, 'D': calibration.d, 'R': calibration.r, 'P': calibration.p}
    for name, values in numbers.items():
        if not np.isfinite(values).all():
            raise CalibrationError(
                f'camera_info has {name} = {list(values)}, expected finite numbers: '
                'correct the calibration'
            )
    if min(calibration.k[0], calibration.k[4]) <= 0:
        raise CalibrationError(
            f'camera_info has K[0] = {calibration.k[0]:g} and K[4] = {calibration.k[4]:g}, the '
            'focal lengths of the raw image, expected positive numbers: correct the calibration'
        )


def _check_model(calibration: CameraCalibration) -> None:
    expected = COEFFICIENTS.get(calibration.distortion_model)
    if calibration.d and (expected is None or len(calibration.d) not in expected):
        models = ', '.join(f'{name} with {counts}' for name, counts in COEFFICIENTS.items())
        raise CalibrationError(
            f'camera_info has the distortion_model {calibration.distortion_model!r} with '
            f'{len(calibration.d)} coefficients, expected one of {models}: correct the calibration'
        )


def _matrix(camera: Intrinsics) -> NDArray[np.float64]:
    return np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
