# SPDX-License-Identifier: Apache-2.0
"""What comes back: of an engine (Match, Estimate) and of a pipeline (StereoResult, MonoResult)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.annotation.instances import Instance
    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.metric_scale import ScaleUsed

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
    calibrated: whether confidence is the probability of an error below 1 px.
    backend_used: what ran, for logs and diagnostics.
    checkpoint, licence: path of the weights that were used and their licence, '' without any.
    """

    disparity: FloatMap
    confidence: FloatMap
    visibility: FloatMap
    min_disparity: float
    max_disparity: float
    step: float
    backend_used: str
    checkpoint: str = ''
    licence: str = ''
    calibrated: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    What a one-camera network answers, at the size of its input image.

    values: float32 (H, W). Metric: depth in metres along the optical axis, > 0. Relative: inverse
    depth up to an unknown scale and shift, larger = nearer, 0 = as far as it gets.
    backend_used, checkpoint, licence: as in Match.
    """

    values: torch.Tensor
    metric: bool
    backend_used: str
    checkpoint: str
    licence: str = ''


@dataclass(frozen=True, slots=True)
class Cloud:
    """
    Points in the optical frame (x right, y down, z forward; stereo: of the left camera).

    points: float32 (H, W, 4) organised or (N, 4); columns x, y, z in metres and rgb, whose bits
    are 0x00RRGGBB (the PCL convention); a fifth one, metres, where points.uncertainty is set. An
    organised cloud has NaN x, y, z where nothing was measured, a filtered one valid points only.
    """

    points: torch.Tensor


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
    backend_used, checkpoint, licence, calibrated: as in Match.
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
    checkpoint: str
    licence: str = ''
    timings_ms: dict[str, float] = field(default_factory=dict)
    calibrated: bool = False


@dataclass(frozen=True, slots=True)
class MonoResult:
    """
    Answer to a MonoCommand; tensors live on the pipeline's device.

    relative: float32 (H, W), inverse depth up to scale and shift, larger = nearer; None when the
    checkpoint is a metric one.
    depth_m: float32 (H, W) metres along the optical axis, NaN = no measurement; None while a
    relative answer has no scale. cloud: None without depth_m or intrinsics, or if not asked for.
    backend_used, checkpoint, licence: as in Match. timings_ms: stage name to milliseconds.
    scale: what made a relative answer metric, or why nothing did; None for a metric checkpoint,
    and if nothing metric was asked for.
    """

    relative: torch.Tensor | None
    depth_m: torch.Tensor | None
    cloud: Cloud | None
    backend_used: str
    checkpoint: str
    licence: str = ''
    timings_ms: dict[str, float] = field(default_factory=dict)
    scale: ScaleUsed | None = None


@dataclass(frozen=True, slots=True)
class AnnotationResult:
    """
    Answer to an AnnotationCommand.

    instances: by falling confidence. labels: int32 (N,) on the pipeline's device, one per point,
    row by row for an organised cloud: 0 = no object, k = instances[k - 1].
    backend_used, checkpoint, licence: of the segmenter, as in Match; 'masks' if the caller gave
    the objects. depth_noise: relative, as far as it was looked at. timings_ms: stage name to
    milliseconds.
    """

    instances: tuple[Instance, ...]
    labels: torch.Tensor
    backend_used: str
    checkpoint: str = ''
    licence: str = ''
    depth_noise: float = 0.0
    timings_ms: dict[str, float] = field(default_factory=dict)
