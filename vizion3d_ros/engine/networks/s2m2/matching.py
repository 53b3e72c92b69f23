# SPDX-License-Identifier: Apache-2.0
"""The first disparity of S2M2; docs/networks/s2m2.md, section 5.1."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.kernels.transport import transport


class Matching(nn.Module):
    """All pairs of columns of a row are scored, and the scores made one-to-one."""

    def __init__(self, width: int, allow_negative: bool) -> None:
        super().__init__()
        self.allow_negative = allow_negative
        self.layer_norm = nn.LayerNorm(width)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """
        Features (2B, C, h, w), left before right, to disparity, confidence, visibility, scores.

        The first three are (B, 1, h, w), the scores (B, h, w, w): row, left column, right column.
        """
        scores = self.score(features)
        return *transport(scores, self.allow_negative), scores

    def score(self, features: Tensor) -> Tensor:
        """
        Scores (B, h, w, w) of features (2B, C, h, w).

        Float32 even if the features are not: half precision would quantise disparity to half a
        pixel beyond column 512.
        """
        exact = torch.promote_types(features.dtype, torch.float32)
        left, right = self.layer_norm(features.permute(0, 2, 3, 1)).to(exact).chunk(2)
        return left @ right.transpose(-1, -2)
