# SPDX-License-Identifier: Apache-2.0
"""Rectified cameras: intrinsics in pixels, baseline in metres, optical frame (REP-103)."""

from __future__ import annotations

import math

from pydantic import Field
from typing_extensions import Self

from vizion3d_ros.contracts.base import Contract, Finite, Positive

MM_PER_METRE = 1000


class Intrinsics(Contract):
    """
    Pinhole camera of a rectified image: u = fx X/Z + cx, v = fy Y/Z + cy, all in pixels.

    The principal point may lie outside the image (a crop of a larger one).
    """

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    fx: Positive
    fy: Positive
    cx: Finite
    cy: Finite

    @classmethod
    def from_field_of_view(cls, width: int, height: int, hfov_deg: float) -> Self:
        """Square pixels, optical axis through the image centre, horizontal view of hfov_deg."""
        focal_px = width / (2 * math.tan(math.radians(hfov_deg) / 2))
        centre = {'cx': (width - 1) / 2, 'cy': (height - 1) / 2}
        return cls(width=width, height=height, fx=focal_px, fy=focal_px, **centre)


class StereoRig(Contract):
    """
    A rectified stereo pair, seen from its left camera.

    baseline_m: distance between the cameras in metres; None = unknown, disparity only.
    doffs: cx_right - cx_left in pixels, so that Z = fx * baseline_m / (x_left - x_right + doffs).
    """

    left: Intrinsics
    baseline_m: Positive | None
    doffs: Finite = 0.0

    @property
    def focal_baseline(self) -> float | None:
        """Depth times corrected disparity, in metres * pixels; None without a baseline."""
        return None if self.baseline_m is None else self.left.fx * self.baseline_m

    @classmethod
    def from_field_of_view(
        cls, width: int, height: int, hfov_deg: float, baseline_m: float
    ) -> Self:
        """Make an ideal rig: two equal cameras with centred optical axes."""
        left = Intrinsics.from_field_of_view(width, height, hfov_deg)
        return cls(left=left, baseline_m=baseline_m)
