# SPDX-License-Identifier: Apache-2.0
"""From the relative answer of a one-camera network to depth, on torch tensors of any device."""

from __future__ import annotations

import torch
from torch import Tensor

from vizion3d_ros.contracts.metric_scale import MetricScale

NEAREST_M = 0.5  # where the contract's cloud of a relative answer begins


def depth_from_relative(relative: Tensor, scale: MetricScale) -> Tensor:
    """
    Z = 1 / (scale * relative + shift): float32 (H, W) metres along the optical axis.

    relative: float32 (H, W), larger = nearer; NaN stays NaN. Where the sum is not positive the
    depth is +inf.
    """
    inverse = torch.add(relative * scale.scale, scale.shift)
    return torch.where(inverse <= 0, torch.inf, 1 / inverse)


def within(depth_m: Tensor, min_depth: float, max_depth: float) -> Tensor:
    """Depth with NaN in place of what lies outside, in metres (REP-118: no measurement)."""
    return torch.where((depth_m >= min_depth) & (depth_m <= max_depth), depth_m, torch.nan)


def spread_relative(relative: Tensor, depth_trunc: float) -> Tensor:
    """
    Z = 0.5 + (1 - (d - min) / (max - min)) * (depth_trunc - 0.5): float32 (H, W).

    The vizion3d contract's cloud of a relative answer: consistent in shape, not metric. A flat
    answer lies at depth_trunc as a whole.
    """
    low, high = relative.aminmax()
    nearness = (relative - low) / (high - low).clamp_min(torch.finfo(relative.dtype).tiny)
    return NEAREST_M + (1 - nearness) * (depth_trunc - NEAREST_M)
