# SPDX-License-Identifier: Apache-2.0
"""
What a stereo rig on paper will measure: disparity and error by depth, nearest and farthest depth.

    d = f * B / Z        f = focal length / pixel size, at the size that is matched
    dZ = Z^2 * dd / (f * B)

The second is the derivative of the first (Gallup et al., Variable Baseline/Resolution Stereo, CVPR
2008): what a disparity that is off by dd does to depth. Plain numbers, all lengths in millimetres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vizion3d_ros.contracts.base import Contract

UM_PER_MM = 1000
# As far as OpenCV's examples search: an eighth of the width, in whole blocks.
USUAL_SEARCH, BLOCK = 1 / 8, 16

# Far beyond any rig, and nothing overflows.
Sized = Annotated[float, Field(ge=1e-6, le=1e6, allow_inf_nan=False)]


class Camera(Contract):
    """Both cameras of a rig before anything is resized: lens and sensor, square pixels."""

    focal_mm: Sized
    pixel_um: Sized
    width: int = Field(gt=0, le=10**6)
    height: int = Field(gt=0, le=10**6)

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.focal_mm / self.pixel_um * UM_PER_MM

    @property
    def hfov_deg(self) -> float:
        """Horizontal angle of view in degrees."""
        return 2 * math.degrees(math.atan(self.width / 2 / self.focal_px))


class Matching(Contract):
    """
    How the images are matched, in pixels of the size at which that is done.

    scale: share of the image size. disparity_step: smallest difference of disparities that the
    matcher can tell. disparity_error: how far off its disparities are. max_disparity: largest one
    searched; None = an eighth of the width, rounded up to whole blocks of 16.
    """

    scale: float = Field(1.0, gt=0, le=1)
    disparity_step: Sized = 1 / 16
    disparity_error: Sized = 0.5
    max_disparity: Sized | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """
    What happens at one depth; disparity and step are positive.

    disparity: pixels of the full image; matched: of the size at which it is found. step_mm: by
    how much depth changes with the smallest step of disparity; error_mm: with its error.
    """

    depth_mm: float
    disparity: float
    matched: float
    step_mm: float
    error_mm: float

    @property
    def error_share(self) -> float:
        """The error as a fraction of the depth."""
        return self.error_mm / self.depth_mm


class RigTable(Contract):
    """A rig and how its images are matched."""

    camera: Camera
    baseline_mm: Sized
    matching: Matching = Matching()

    @property
    def matched_size(self) -> tuple[int, int]:
        """Width and height at which images are matched, in pixels."""
        scale = self.matching.scale
        return max(1, round(self.camera.width * scale)), max(1, round(self.camera.height * scale))

    @property
    def focal_baseline(self) -> float:
        """Depth times disparity at the matched size, in millimetres * pixels."""
        true_scale = self.matched_size[0] / self.camera.width
        return self.camera.focal_px * true_scale * self.baseline_mm

    @property
    def max_disparity(self) -> float:
        """Largest disparity searched, in pixels at the matched size."""
        blocks = math.ceil(USUAL_SEARCH * self.matched_size[0] / BLOCK)
        return self.matching.max_disparity or blocks * BLOCK - 1

    @property
    def nearest_mm(self) -> float:
        """Where the disparity reaches the largest one searched."""
        return self.focal_baseline / self.max_disparity

    @property
    def shared_view(self) -> float:
        """Share of the image width that both cameras see at the nearest depth."""
        return max(0.0, 1 - self.max_disparity / self.matched_size[0])

    def farthest_mm(self, share: float) -> float:
        """Where the error of the depth reaches this share of it."""
        return share * self.focal_baseline / self.matching.disparity_error

    def row(self, depth_mm: float) -> Row:
        """Everything at one depth, > 0; see Row."""
        per_pixel = depth_mm**2 / self.focal_baseline
        return Row(
            depth_mm=depth_mm,
            disparity=self.camera.focal_px * self.baseline_mm / depth_mm,
            matched=self.focal_baseline / depth_mm,
            step_mm=per_pixel * self.matching.disparity_step,
            error_mm=per_pixel * self.matching.disparity_error,
        )
