# SPDX-License-Identifier: Apache-2.0
"""
What a CameraInfo says of geometry.

Conventions of sensor_msgs/CameraInfo: P is the 3x4 projection of the rectified image, row-major;
P_right[3] = -fx * baseline. Binning 0 means 1, an all-zero region of interest the full frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from vizion3d_ros.contracts.camera import Intrinsics

CALIBRATE = 'calibrate the camera, or load its calibration in the driver'
LEAST_FOCAL_PX = 1e-3  # less cannot even be divided by binning


@dataclass(frozen=True, slots=True)
class CameraCalibration:
    """
    The parts of a CameraInfo that decide geometry; equal contents compare equal.

    k and r: 9 numbers, p: 12 numbers, all row-major and at full sensor size; d: coefficients of
    the distortion_model. roi: x, y, width, height. Of rectified images P says all; what drivers
    leave out of K, D and R is zero or NaN.
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
        """Whether the lens is known to distort."""
        return is_given(self.d)

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height in pixels of the images this calibration belongs to."""
        _, _, width, height = self.roi
        return (width or self.width) // self._bin(0), (height or self.height) // self._bin(1)

    def defect(self) -> str:
        """What makes this calibration unusable, and the cure; empty if nothing does."""
        for index, number in enumerate(self.p):
            if is_given(self.p) and not math.isfinite(number):
                return f'is uncalibrated (P[{index}] = {number}, expected a number): {CALIBRATE}'
        if not (self.p[0] >= LEAST_FOCAL_PX and self.p[5] >= LEAST_FOCAL_PX):  # NaN is not
            raw = f', and K[0] = {self.k[0]:g} cannot stand in for it' if is_given(self.k) else ''
            return (
                f'is uncalibrated (P[0] = {self.p[0]:g}, P[5] = {self.p[5]:g}; both must be '
                f'positive{raw}): {CALIBRATE}'
            )
        width, height = self.image_size
        if min(width, height) < 1:
            return (
                f'is for images of {width}x{height}, expected the real size: have the driver fill '
                'width and height'
            )
        return ''

    def with_k_for_p(self) -> CameraCalibration:
        """
        Take K where P is left out; for one camera whose lens does not distort.

        Without distortion raw and rectified images are the same, and so are K and P.
        """
        if is_given(self.p) or self.distorted or not self.knows_raw:
            return self
        fx, skew, cx, zero, fy, cy, *last = self.k
        return replace(self, p=(fx, skew, cx, 0.0, zero, fy, cy, 0.0, *last, 0.0))

    @property
    def knows_raw(self) -> bool:
        """Whether K has focal lengths, so that raw images can be rectified."""
        return self.k[0] >= LEAST_FOCAL_PX and self.k[4] >= LEAST_FOCAL_PX

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


def is_given(numbers: Iterable[float]) -> bool:
    """Whether a driver has filled these in: zeros and NaN are what it leaves."""
    return any(number != 0 and not math.isnan(number) for number in numbers)
