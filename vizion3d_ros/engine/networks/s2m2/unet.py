# SPDX-License-Identifier: Apache-2.0
"""The Unet that S2M2 uses three times; docs/networks/s2m2.md, section 4.2."""

from __future__ import annotations

from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.attention import GlobalBlock
from vizion3d_ros.engine.networks.s2m2.blocks import ConvBlock, DownStep, GateFusion, UpStep

HEADS = 8


class Unet(nn.Module):
    """Convolutions at three sizes, attention at the smallest, and back with skip maps."""

    def __init__(self, widths: tuple[int, int, int], depth: int, encoded: bool = False) -> None:
        """Widths n0, n1, n2, finest first; depth blocks of attention down and as many up."""
        super().__init__()
        n0, n1, n2 = widths
        self.enc0, self.enc1, self.enc2 = (
            ConvBlock(n0),
            ConvBlock(n1),
            ConvBlock(n2),
        )
        self.down_conv0 = DownStep(n0, n1)
        self.down_conv1 = DownStep(n1, n2)
        self.down_conv2 = DownStep(n2, n2)
        self.enc3s = nn.Sequential(*(GlobalBlock(n2, HEADS, encoded) for _ in range(depth)))
        self.dec3s = nn.Sequential(*(GlobalBlock(n2, HEADS) for _ in range(depth)))
        self.up_conv2 = UpStep(n2, n2)
        self.up_conv1 = UpStep(n2, n1)
        self.up_conv0 = UpStep(n1, n0)
        self.concat_conv2, self.concat_conv1 = GateFusion(n2), GateFusion(n1)
        self.concat_conv0 = GateFusion(n0)
        self.dec2, self.dec1, self.dec0 = (
            ConvBlock(n2),
            ConvBlock(n1),
            ConvBlock(n0),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """
        (B, n0, h, w) to four maps, finest first; h and w are multiples of 8.

        They are (B, n0, h, w), (B, n1, h/2, w/2), (B, n2, h/4, w/4), (B, n2, h/8, w/8).
        """
        e0 = self.enc0(x)
        e1 = self.enc1(self.down_conv0(e0))
        e2 = self.enc2(self.down_conv1(e1))
        e3 = self.dec3s(self.enc3s(self.down_conv2(e2)))
        f2 = self.dec2(self.concat_conv2(e2, self.up_conv2(e3)))
        f1 = self.dec1(self.concat_conv1(e1, self.up_conv1(f2)))
        f0 = self.dec0(self.concat_conv0(e0, self.up_conv0(f1)))
        return f0, f1, f2, e3
