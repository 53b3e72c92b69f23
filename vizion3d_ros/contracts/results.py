# SPDX-License-Identifier: Apache-2.0
"""What comes back: of a matcher (Match) and of the whole pipeline (StereoResult)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.camera import StereoRig

    FloatMap = NDArray[np.float32] | torch.Tensor


@dataclass(frozen=True, slots=True)
class Match:
    """
    What a matcher answers, at the size of its input images.

    disparity: float32 (H, W), x_left - x_right in pixels, before doffs; NaN = no match.
    confidence: float32 (H, W) in 0..1; ranks the expected error, 0 where there is no match.
    visibility: float32 (H, W) in 0..1; high where the pixel is seen by both cameras.
    min_disparity, max_disparity: searched range in pixels, before doffs.
    step: smallest disparity difference the matcher can tell, in pixels.
    backend_used: what ran, for logs and results.
    """

    disparity: FloatMap
    confidence: FloatMap
    visibility: FloatMap
    min_disparity: float
    max_disparity: float
    step: float
    backend_used: str


@dataclass(frozen=True, slots=True)
class Cloud:
    """
    Points in the left optical frame (x right, y down, z forward), ready to be sent.

    points: float32 (H, W, 4) organised or (N, 4); columns x, y, z in metres and rgb, whose bits
    are 0x00RRGGBB (the PCL convention). An organised cloud has NaN x, y, z where nothing was
    measured, a filtered one holds valid points only.
    """

    points: torch.Tensor

    @property
    def organized(self) -> bool:
        """Whether the points keep the image layout."""
        return self.points.ndim == 3


@dataclass(frozen=True, slots=True)
class StereoResult:
    """
    Answer to a StereoCommand; tensors live on the pipeline's device.

    disparity: float32 (H, W) pixels, corrected by doffs so that Z = fx * baseline_m / disparity;
    NaN = no measurement.
    confidence, visibility: float32 (H, W) in 0..1.
    depth_m: float32 (H, W) metres along the optical axis, NaN = no measurement (REP-118);
    None if not asked for or without a baseline.
    min_disparity, max_disparity: searched range, corrected; min_disparity > 0.
    disparity_step: smallest difference the matcher can tell, in pixels.
    timings_ms: stage name to milliseconds.
    """

    rig: StereoRig
    disparity: torch.Tensor
    confidence: torch.Tensor
    visibility: torch.Tensor
    depth_m: torch.Tensor | None
    cloud: Cloud | None
    min_disparity: float
    max_disparity: float
    disparity_step: float
    backend_used: str
    timings_ms: dict[str, float] = field(default_factory=dict)
