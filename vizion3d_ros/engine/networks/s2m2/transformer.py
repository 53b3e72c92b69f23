# SPDX-License-Identifier: Apache-2.0
"""The transformer of S2M2 over four resolutions; docs/networks/s2m2.md, section 4.3."""

from __future__ import annotations

from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.attention import CrossBlock
from vizion3d_ros.engine.networks.s2m2.blocks import DownStep, GateFusion, UpStep

Maps = tuple[Tensor, Tensor, Tensor, Tensor]


class MultiResolutionBlock(nn.Module):
    """Attention along rows at three sizes, over the whole map at the smallest."""

    def __init__(self, width: int) -> None:
        super().__init__()
        n, wide = width, 2 * width
        self.enc_attn0 = CrossBlock(n, 1, rows=True)
        self.enc_attn1 = CrossBlock(n, 2, rows=True)
        self.enc_attn2 = CrossBlock(wide, 4, rows=True)
        self.enc_attn3s = _global_blocks(wide)
        self.dec_attn3s = _global_blocks(wide)
        self.dec_attn2 = CrossBlock(wide, 4, rows=True)
        self.dec_attn1 = CrossBlock(n, 2, rows=True)
        self.dec_attn0 = CrossBlock(n, 1, rows=True)
        self.down_conv0 = DownStep(n, n)
        self.down_conv1 = DownStep(n, wide)
        self.down_conv2 = DownStep(wide, wide)
        self.down_concat1, self.down_concat2 = GateFusion(n), GateFusion(wide)
        self.down_concat3 = GateFusion(wide)
        self.up_conv2 = UpStep(wide, wide)
        self.up_conv1 = UpStep(wide, n)
        self.up_conv0 = UpStep(n, n)
        self.up_concat2, self.up_concat1 = GateFusion(wide), GateFusion(n)
        self.up_concat0 = GateFusion(n)

    def forward(self, maps: Maps) -> Maps:
        """
        Four maps of both images, finest first, the same out.

        (2B, C, h, w), (2B, C, h/2, w/2), (2B, 2C, h/4, w/4), (2B, 2C, h/8, w/8).
        """
        z0, z1, z2, z3 = maps
        z0 = self.enc_attn0(z0)
        z1 = self.enc_attn1(self.down_concat1(z1, self.down_conv0(z0)))
        z2 = self.enc_attn2(self.down_concat2(z2, self.down_conv1(z1)))
        z3 = self.down_concat3(z3, self.down_conv2(z2))
        z3 = self.dec_attn3s(self.enc_attn3s(z3))
        z2 = self.dec_attn2(self.up_concat2(z2, self.up_conv2(z3)))
        z1 = self.dec_attn1(self.up_concat1(z1, self.up_conv1(z2)))
        z0 = self.dec_attn0(self.up_concat0(z0, self.up_conv0(z1)))
        return z0, z1, z2, z3


class Transformer(nn.Module):
    """Blocks of the same build, one after the other."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.uformer_list = nn.ModuleList(MultiResolutionBlock(width) for _ in range(blocks))

    def forward(self, maps: Maps) -> Tensor:
        """Four maps as in MultiResolutionBlock, the finest (2B, C, h, w) out."""
        for block in self.uformer_list:
            maps = block(maps)
        return maps[0]


def _global_blocks(width: int) -> nn.Sequential:
    return nn.Sequential(*(CrossBlock(width, 8, rows=False) for _ in range(2)))
