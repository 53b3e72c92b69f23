# SPDX-License-Identifier: Apache-2.0
"""Weights for means of 3x3 pixels, which upsampling is; docs/networks/s2m2.md, section 6."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.blocks import Convolution


class QuarterMask(nn.Module):
    """Weights from a quarter of the size to the whole."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_x = nn.ConvTranspose2d(width, 64, 2, stride=2)
        self.conv_y = Convolution(width, 64, 3)
        self.conv_concat = nn.Sequential(
            Convolution(128, 128, 3),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(128, 9, 2, stride=2),
        )

    def forward(self, hidden: Tensor, half: Tensor) -> Tensor:
        """Hidden state (B, C, H/4, W/4), left features (B, C, H/2, W/2) to (B, 9, H, W)."""
        return self.conv_concat(torch.cat((self.conv_x(hidden), self.conv_y(half)), dim=1))


class FullMask(nn.Module):
    """Weights for one smoothing step at full size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_disp = nn.Sequential(
            nn.ConvTranspose2d(1, 16, 3, padding=1), nn.ReLU(inplace=True)
        )
        self.conv_rgb = nn.Sequential(
            nn.ConvTranspose2d(3, 16, 3, padding=1), nn.ReLU(inplace=True)
        )
        self.conv_ctx = nn.ConvTranspose2d(width, 16, 2, stride=2)
        self.conv_concat = nn.Sequential(
            Convolution(48, 48, 3), nn.ReLU(inplace=True), nn.ConvTranspose2d(48, 9, 1)
        )

    def forward(self, disparity: Tensor, image: Tensor, half: Tensor) -> Tensor:
        """
        Weights before the softmax, (B, 9, H, W).

        Disparity (B, 1, H, W) in pixels, left image (B, 3, H, W) in -1..1, left features
        (B, C, H/2, W/2).
        """
        parts = (
            self.conv_disp(disparity.to(half.dtype)),
            self.conv_rgb(image),
            self.conv_ctx(half),
        )
        return self.conv_concat(torch.cat(parts, dim=1))


def convex_weights(logits: Tensor, sharp: bool) -> Tensor:
    """Weights of the 9 neighbours in float32 or more, (B, 9, H, W); sharp is an older revision."""
    exact = torch.promote_types(logits.dtype, torch.float32)
    weights = logits.softmax(dim=1, dtype=exact)
    if not sharp:
        return weights
    weights = (weights - 0.1).clamp_min(0)
    return weights / weights.sum(dim=1, keepdim=True)
