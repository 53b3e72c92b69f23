# SPDX-License-Identifier: Apache-2.0
"""Disparity to depth and back, on torch tensors of any device."""

from __future__ import annotations

import torch
from torch import Tensor


def correct_disparity(raw: Tensor, doffs: float, min_disparity: float) -> Tensor:
    """
    Add doffs to x_left - x_right; what falls below min_disparity becomes NaN.

    raw: float32 (H, W) pixels, NaN = no match. Validity is judged after the correction because
    verged rigs have negative raw disparities. min_disparity > 0 keeps depth finite.
    """
    corrected = raw + doffs
    # A comparison with NaN is false, so NaN stays NaN without a second mask.
    return corrected.masked_fill_(~(corrected >= min_disparity), torch.nan)


def depth_from_disparity(disparity: Tensor, focal_baseline: float) -> Tensor:
    """
    Z = fx * baseline / disparity: float32 (H, W) metres along the optical axis.

    disparity: corrected, pixels, > 0 or NaN. focal_baseline: pixels * metres.
    """
    return focal_baseline / disparity


def disparity_from_depth(depth_m: Tensor, focal_baseline: float) -> Tensor:
    """Invert depth_from_disparity; NaN stays NaN."""
    return focal_baseline / depth_m
