# SPDX-License-Identifier: Apache-2.0
"""From two CameraInfo to a StereoRig."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vizion3d_ros.contracts.calibration.camera import CameraCalibration
from vizion3d_ros.contracts.calibration.camera_faults import camera_faults
from vizion3d_ros.contracts.calibration.faults import Fault, Severity, of_both, worst
from vizion3d_ros.contracts.calibration.rig_faults import (
    baseline_faults,
    pair_faults,
    told_baseline_faults,
)
from vizion3d_ros.contracts.camera import StereoRig


@dataclass(frozen=True, slots=True)
class StereoCalibration:
    """
    The rig two CameraInfo describe, and their faults; rig is None if nothing can be done.

    With a fault that costs depth the rig has no baseline.
    """

    rig: StereoRig | None
    faults: tuple[Fault, ...]


def calibrate(
    left: CameraCalibration, right: CameraCalibration, baseline_m: float = 0.0
) -> StereoCalibration:
    """Derive the rig; baseline_m > 0 replaces what the right camera says."""
    faults = _faults(left, right, baseline_m)
    if worst(faults) is Severity.NO_OUTPUT:
        return StereoCalibration(None, tuple(faults))
    left_camera, right_camera = left.intrinsics(), right.intrinsics()
    metric = worst(faults) is Severity.DOUBT
    rig = StereoRig(
        left=left_camera,
        baseline_m=(baseline_m or -right.tx / right_camera.fx) if metric else None,
        doffs=right_camera.cx - left_camera.cx,
    )
    return StereoCalibration(rig, tuple(map(_with_cost, faults)))


def _faults(left: CameraCalibration, right: CameraCalibration, baseline_m: float) -> list[Fault]:
    faults = of_both(camera_faults(left), camera_faults(right))
    if worst(faults) is Severity.NO_OUTPUT:
        return faults
    told = told_baseline_faults(baseline_m) if baseline_m > 0 else baseline_faults(left, right)
    return faults + (pair_faults(left, right) or told)


def _with_cost(fault: Fault) -> Fault:
    if fault.severity is Severity.NO_DEPTH:
        return replace(fault, text=f'{fault.text}. Publishing disparity only')
    return fault
