# SPDX-License-Identifier: Apache-2.0
"""
From two CameraInfo to a StereoRig, and every way a calibration goes wrong, named.

Conventions of sensor_msgs/CameraInfo: P is the 3x4 projection of the rectified image, row-major;
P_right[3] = -fx * baseline. Binning 0 means 1, an all-zero region of interest the full frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig

FOCAL_TOLERANCE = 0.005  # relative; more than this shears depth by over 0.5 % across the image
ROW_TOLERANCE_PX = 1.0  # matchers search one row, one pixel off already costs matches


class Severity(IntEnum):
    """What a fault costs."""

    NO_DEPTH = 1
    NO_OUTPUT = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a calibration: what it costs, what came, what to do."""

    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class CameraCalibration:
    """
    The parts of a CameraInfo that decide geometry; equal contents compare equal.

    k and r: 9 numbers, p: 12 numbers, all row-major and at full sensor size; d: coefficients of
    the distortion_model. roi: x, y, width, height.
    """

    width: int
    height: int
    k: tuple[float, ...]
    p: tuple[float, ...]
    binning: tuple[int, int] = (1, 1)
    roi: tuple[int, int, int, int] = (0, 0, 0, 0)
    distortion_model: str = ''
    d: tuple[float, ...] = ()
    r: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    @property
    def distorted(self) -> bool:
        """Whether the lens distorts."""
        return any(self.d)

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height in pixels of the images this calibration belongs to."""
        _, _, width, height = self.roi
        return (width or self.width) // self._bin(0), (height or self.height) // self._bin(1)

    def defect(self) -> str:
        """What makes this calibration unusable, in words; empty if nothing does."""
        for name, numbers in (('K', self.k), ('P', self.p)):
            for index, number in enumerate(numbers):
                if not math.isfinite(number):
                    return f'is uncalibrated ({name}[{index}] = {number}, expected a number)'
        if min(self.k[0], self.p[0], self.p[5]) <= 0:
            return (
                f'is uncalibrated (K[0] = {self.k[0]:g}, P[0] = {self.p[0]:g}, '
                f'P[5] = {self.p[5]:g}; all must be positive)'
            )
        width, height = self.image_size
        if min(width, height) < 1:
            return f'is for images of {width}x{height}, expected the real size'
        return ''

    @property
    def tx(self) -> float:
        """P[3] in pixels * metres, for the binned image."""
        return self.p[3] / self._bin(0)

    def intrinsics(self) -> Intrinsics:
        """Intrinsics of the rectified images, binning and region of interest applied."""
        return self._as_they_arrive(self.p[0], self.p[5], self.p[2], self.p[6])

    def raw_intrinsics(self) -> Intrinsics:
        """Intrinsics of the images before rectification, as they arrive."""
        return self._as_they_arrive(self.k[0], self.k[4], self.k[2], self.k[5])

    def _as_they_arrive(self, fx: float, fy: float, cx: float, cy: float) -> Intrinsics:
        width, height = self.image_size
        return Intrinsics(
            width=width,
            height=height,
            fx=fx / self._bin(0),
            fy=fy / self._bin(1),
            cx=(cx - self.roi[0]) / self._bin(0),
            cy=(cy - self.roi[1]) / self._bin(1),
        )

    def _bin(self, axis: int) -> int:
        return self.binning[axis] or 1


@dataclass(frozen=True, slots=True)
class StereoCalibration:
    """The rig two CameraInfo describe, and their faults; rig is None if nothing can be done."""

    rig: StereoRig | None
    faults: tuple[Fault, ...]


def calibrate(
    left: CameraCalibration, right: CameraCalibration, baseline_m: float = 0.0
) -> StereoCalibration:
    """Derive the rig; baseline_m > 0 replaces what the right camera says."""
    faults = _unusable(left, right) or _not_rectified(left.intrinsics(), right.intrinsics())
    if faults:
        return StereoCalibration(None, tuple(faults))
    faults = [] if baseline_m > 0 else _no_baseline(left, right)
    derived = None if faults else -right.tx / right.intrinsics().fx
    rig = StereoRig(
        left=left.intrinsics(),
        baseline_m=baseline_m or derived,
        doffs=right.intrinsics().cx - left.intrinsics().cx,
    )
    return StereoCalibration(rig, tuple(faults))


def _unusable(left: CameraCalibration, right: CameraCalibration) -> list[Fault]:
    cure = 'calibrate the camera, or load its calibration in the driver'
    defects = {'left': left.defect(), 'right': right.defect()}
    return [
        Fault(Severity.NO_OUTPUT, f'{side} camera_info {defect}: {cure}')
        for side, defect in defects.items()
        if defect
    ]


def _not_rectified(left: Intrinsics, right: Intrinsics) -> list[Fault]:
    pairs = [
        ('image width', left.width, right.width, 0.0),
        ('image height', left.height, right.height, 0.0),
        ('fx', left.fx, right.fx, FOCAL_TOLERANCE * left.fx),
        ('fy', left.fy, right.fy, FOCAL_TOLERANCE * left.fy),
        ('cy', left.cy, right.cy, ROW_TOLERANCE_PX),
    ]
    return [
        Fault(
            Severity.NO_OUTPUT,
            f'{name} differs between the cameras (left {a:g}, right {b:g}): the pair is not '
            'rectified together; run image_proc with a stereo calibration',
        )
        for name, a, b, tolerance in pairs
        if abs(a - b) > tolerance
    ]


def _no_baseline(left: CameraCalibration, right: CameraCalibration) -> list[Fault]:
    cure = 'fix the stereo calibration or set the parameter baseline_m'
    texts = []
    if left.tx != 0:
        texts.append(
            f'left camera_info has P[3] = {left.tx:g} where 0 is expected: the left camera must '
            f'be the reference; {cure}'
        )
    if right.tx == 0:
        texts.append(
            f'right camera_info has P[3] = 0, so there is no baseline (expected -fx * baseline); '
            f'{cure}'
        )
    if right.tx > 0:
        texts.append(
            f'right camera_info has P[3] = {right.tx:g}, expected a negative number '
            f'(-fx * baseline): left and right may be swapped; {cure}'
        )
    return [Fault(Severity.NO_DEPTH, f'{text}. Publishing disparity only') for text in texts]
