# SPDX-License-Identifier: Apache-2.0
"""The convolutional front of S2M2; docs/networks/s2m2.md, section 4.1."""

from __future__ import annotations

from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.blocks import Convolution, Gelu


class Backbone(nn.Module):
    """Images to features at a half and a quarter of their size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(nn.Conv2d(3, 16, 1), Gelu(), nn.Conv2d(16, 16, 1))
        self.conv1_down = nn.Sequential(
            nn.Conv2d(16, 64, 5, stride=2, padding=2), Gelu(), Convolution(64, width, 3)
        )
        self.norm1 = nn.GroupNorm(8, width)
        self.conv2 = nn.Sequential(
            Convolution(width, width, 3), Gelu(), Convolution(width, width, 3)
        )
        self.conv2_down = nn.Sequential(nn.Conv2d(width, width, 3, stride=2, padding=1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(2B, 3, H, W) in -1..1 to (2B, C, H/4, W/4) and (2B, C, H/2, W/2)."""
        half = self.norm1(self.conv1_down(self.conv0(images)))
        half = self.conv2(half).add_(half)
        return self.conv2_down(half), half
