# SPDX-License-Identifier: Apache-2.0
"""
Convex upsampling: every fine pixel is a weighted mean of 3x3 coarse ones.

S2M2 (arXiv 2507.13229); section 8 of our specification.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def convex_weights(logits: Tensor, sharp: bool) -> Tensor:
    """Weights of the 9 neighbours in float32 or more, (B, 9, H, W); sharp is an older revision."""
    exact = torch.promote_types(logits.dtype, torch.float32)
    weights = logits.softmax(dim=1, dtype=exact)
    if not sharp:
        return weights
    weights = (weights - 0.1).clamp_min(0)
    return weights / weights.sum(dim=1, keepdim=True)


def convex_sum(weights: Tensor, maps: Tensor) -> Tensor:
    """
    Maps (B, n, H, W) from coarse maps (B, n, h, w) with weights (B, 9, H, W).

    Neighbours are in row-major order; beyond the border the outermost pixel counts. H and W are
    the same multiple of h and w.
    """
    height, width = maps.shape[-2:]
    factor = weights.shape[-1] // width
    cells = weights.reshape(-1, 9, height, factor, width, factor)
    border = F.pad(maps, (1, 1, 1, 1), mode='replicate')[:, :, :, None, :, None]
    total = torch.zeros((), dtype=maps.dtype, device=maps.device)
    for tap in range(9):
        row, column = divmod(tap, 3)
        neighbour = border[:, :, row : row + height, :, column : column + width]
        total = torch.addcmul(total, cells[:, tap, None], neighbour)
    return total.flatten(4, 5).flatten(2, 3)
