# SPDX-License-Identifier: Apache-2.0
"""
The vizion3d contract's 16-bit picture of a depth map: nearer is brighter.

A picture to look at: scaled to each answer's own range, so it holds no metres.
"""

from __future__ import annotations

import torch
from torch import Tensor

WHITE = 65535


def picture_of_depth(depth_m: Tensor, low: float, high: float) -> Tensor:
    """
    65535 * (1 - (d - low) / (high - low)): uint16 (H, W); NaN is 0.

    depth_m: float32 (H, W) metres within low .. high. A flat map is white.
    """
    return _to_uint16(1 - _share(depth_m, low, high))


def picture_of_inverse_depth(relative: Tensor, low: float, high: float) -> Tensor:
    """
    65535 * (d - low) / (high - low): uint16 (H, W).

    relative: float32 (H, W) within low .. high, larger = nearer. A flat map is black.
    """
    return _to_uint16(_share(relative, low, high))


def _share(values: Tensor, low: float, high: float) -> Tensor:
    return (values - low) / max(high - low, torch.finfo(values.dtype).tiny)


def _to_uint16(share: Tensor) -> Tensor:
    return share.mul_(WHITE).round_().nan_to_num_(nan=0.0).to(torch.uint16)
