# SPDX-License-Identifier: Apache-2.0
"""Disparity to depth, on torch tensors of any device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import threshold


def correct_disparity(raw: Tensor, doffs: float, min_disparity: float) -> Tensor:
    """
    Add doffs to x_left - x_right; what falls below min_disparity becomes NaN.

    raw: float32 (H, W) pixels, NaN = no match. Validity is judged after the correction because
    verged rigs have negative raw disparities. min_disparity > 0 keeps depth finite.
    """
    just_below = float(np.nextafter(np.float32(min_disparity), np.float32(-np.inf)))
    # One pass: threshold keeps what is above and lets NaN through.
    return threshold(raw + doffs, just_below, torch.nan, inplace=True)


def depth_from_disparity(disparity: Tensor, focal_baseline: float) -> Tensor:
    """
    Z = fx * baseline / disparity: float32 (H, W) metres along the optical axis.

    disparity: corrected, pixels, > 0 or NaN. focal_baseline: pixels * metres.
    """
    # A tensor divides in one pass, a Python number takes a reciprocal first.
    return torch.tensor(focal_baseline, dtype=disparity.dtype) / disparity
