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
LEAST_SEEN = 0.2  # of the rectified image; those that show all of a fisheye are a third black
GRID = 32


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
    changes = turns or moves or read_lens(calibration.distortion_model, calibration.d).bends
    if changes:
        _check_view(calibration)
    return changes


@lru_cache(maxsize=4)
def _maps(calibration: CameraCalibration) -> Maps:
    """Where each pixel is read in the raw image; made once its size is known to be true."""
    rectified = _matrix(calibration.intrinsics())
    return _places(calibration, calibration.image_size, rectified, cv2.CV_16SC2)


def _places(
    calibration: CameraCalibration, size: tuple[int, int], rectified: NDArray[Any], kind: int
) -> Maps:
    lens, turn = read_lens(calibration.distortion_model, calibration.d), _rotation(calibration)
    make = cv2.fisheye.initUndistortRectifyMap if lens.fisheye else cv2.initUndistortRectifyMap
    raw, coefficients = calibration.raw_intrinsics(), np.array(lens.coefficients)
    maps = make(_matrix(raw), coefficients, turn, rectified, size, kind)
    return maps[0], maps[1]


def _check_view(calibration: CameraCalibration) -> None:
    """Raise CalibrationError if next to nothing of the rectified image is in the raw one."""
    width, height = calibration.image_size
    coarse = np.diag([GRID / width, GRID / height, 1.0]) @ _matrix(calibration.intrinsics())
    x, y = _places(calibration, (GRID, GRID), coarse, cv2.CV_32FC1)
    seen = float(((x >= 0) & (x < width) & (y >= 0) & (y < height)).mean())
    if seen < LEAST_SEEN:
        numbers = ', '.join(f'{number:g}' for number in calibration.d)
        raise CalibrationError(
            f'camera_info bends the raw image so that it shows {seen:.0%} of the rectified one: '
            f'correct D = [{numbers}], or K, R and P that do not belong to it'
        )


def _rotation(calibration: CameraCalibration) -> NDArray[np.float64]:
    return np.reshape(calibration.r, (3, 3)) if is_given(calibration.r) else np.eye(3)


def _matrix(camera: Intrinsics) -> NDArray[np.float64]:
    return np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
