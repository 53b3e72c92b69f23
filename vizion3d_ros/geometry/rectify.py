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

from vizion3d_ros.contracts.calibration.camera import is_given
from vizion3d_ros.contracts.calibration.camera_faults import camera_faults
from vizion3d_ros.contracts.calibration.faults import Severity, joined, named, worst
from vizion3d_ros.contracts.calibration.lens import read_lens
from vizion3d_ros.contracts.calibration.raw_faults import raw_faults
from vizion3d_ros.contracts.errors import CalibrationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.calibration import CameraCalibration
    from vizion3d_ros.contracts.camera import Intrinsics

Maps = tuple['NDArray[Any]', 'NDArray[Any]']
ROTATION_TOLERANCE = 0.01


def rectify(image: NDArray[np.uint8], calibration: CameraCalibration) -> NDArray[np.uint8]:
    """
    Rectify one raw image, uint8 (H, W) or (H, W, C); what the camera did not see is black.

    A network answers black pixels too: choose P so that none are left, as calibration tools do.

    An image without distortion and rotation comes back as it is. Raises CalibrationError for
    numbers, a model or a size that do not fit.
    """
    if not _changes(calibration):
        return image
    height, width = image.shape[:2]
    if (width, height) != calibration.image_size:
        expected = '{}x{}'.format(*calibration.image_size)
        raise CalibrationError(
            f'raw image is {width}x{height} but the calibration is for {expected}: '
            'use the camera_info of these images'
        )
    return np.asarray(cv2.remap(image, *_maps(calibration), cv2.INTER_LINEAR), np.uint8)


@lru_cache(maxsize=4)
def _changes(calibration: CameraCalibration) -> bool:
    """Whether rectifying changes an image at all; raises CalibrationError."""
    faults = camera_faults(calibration)
    if worst(faults) is not Severity.NO_OUTPUT:
        faults = raw_faults(calibration, pair=False)
    if faults:
        raise CalibrationError(joined(named('camera_info', faults)))
    turns = not np.allclose(_rotation(calibration), np.eye(3))
    moves = calibration.raw_intrinsics() != calibration.intrinsics()
    return turns or moves or read_lens(calibration.distortion_model, calibration.d).bends


@lru_cache(maxsize=4)
def _maps(calibration: CameraCalibration) -> Maps:
    """Where each pixel is read in the raw image; made once its size is known to be true."""
    lens, turn = read_lens(calibration.distortion_model, calibration.d), _rotation(calibration)
    raw, rectified = calibration.raw_intrinsics(), calibration.intrinsics()
    make = cv2.fisheye.initUndistortRectifyMap if lens.fisheye else cv2.initUndistortRectifyMap
    coefficients, size = np.array(lens.coefficients), calibration.image_size
    maps = make(_matrix(raw), coefficients, turn, _matrix(rectified), size, cv2.CV_16SC2)
    return maps[0], maps[1]


def _rotation(calibration: CameraCalibration) -> NDArray[np.float64]:
    if not is_given(calibration.r):  # the driver knows of no rectification
        return np.eye(3)
    rotation = np.reshape(calibration.r, (3, 3))
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=ROTATION_TOLERANCE):
        raise CalibrationError(
            f'camera_info has R = {list(calibration.r)}, expected a rotation: '
            'correct the calibration'
        )
    return rotation


def _matrix(camera: Intrinsics) -> NDArray[np.float64]:
    return np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
