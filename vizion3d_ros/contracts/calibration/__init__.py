# SPDX-License-Identifier: Apache-2.0
"""
From CameraInfo to a StereoRig, and every way a calibration goes wrong, named.

    CameraInfo ─ camera.py ─┬─ camera_faults.py ─┬─ rig.py ─ StereoRig ─ depth_range.py
                            └─ rig_faults.py ────┘
    with rectify: lens.py, raw_faults.py
"""

from vizion3d_ros.contracts.calibration.camera import CameraCalibration
from vizion3d_ros.contracts.calibration.faults import Severity
from vizion3d_ros.contracts.calibration.rig import StereoCalibration, calibrate

__all__ = ['CameraCalibration', 'Severity', 'StereoCalibration', 'calibrate']
