# SPDX-License-Identifier: Apache-2.0
"""
Convex upsampling: every fine pixel is a weighted mean of 3x3 coarse ones.

docs/networks/s2m2.md, section 6.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


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
