# SPDX-License-Identifier: Apache-2.0
"""The transformer of S2M2 (arXiv 2507.13229) over four resolutions; our specification 6.3."""

from __future__ import annotations

from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.attention import CrossBlock
from vizion3d_ros.engine.networks.s2m2.blocks import GateFusion, down_step, up_step
from vizion3d_ros.engine.networks.s2m2.steps import Steps

Maps = tuple[Tensor, Tensor, Tensor, Tensor]


class MultiResolutionBlock(nn.Module):
    """Attention along rows at three sizes, over the whole map at the smallest."""

    def __init__(self, width: int, steps: Steps) -> None:
        super().__init__()
        n, wide = width, 2 * width
        self.steps = steps
        self.enc_attn0 = CrossBlock(n, 1, steps, rows=True)
        self.enc_attn1 = CrossBlock(n, 2, steps, rows=True)
        self.enc_attn2 = CrossBlock(wide, 4, steps, rows=True)
        self.enc_attn3s = _global_blocks(wide, steps)
        self.dec_attn3s = _global_blocks(wide, steps)
        self.dec_attn2 = CrossBlock(wide, 4, steps, rows=True)
        self.dec_attn1 = CrossBlock(n, 2, steps, rows=True)
        self.dec_attn0 = CrossBlock(n, 1, steps, rows=True)
        self.down_conv0 = down_step(n, n)
        self.down_conv1 = down_step(n, wide)
        self.down_conv2 = down_step(wide, wide)
        self.down_concat1, self.down_concat2 = GateFusion(n, steps), GateFusion(wide, steps)
        self.down_concat3 = GateFusion(wide, steps)
        self.up_conv2 = up_step(wide, wide)
        self.up_conv1 = up_step(wide, n)
        self.up_conv0 = up_step(n, n)
        self.up_concat2, self.up_concat1 = GateFusion(wide, steps), GateFusion(n, steps)
        self.up_concat0 = GateFusion(n, steps)

    def forward(self, maps: Maps) -> Maps:
        """
        Four maps of both images, finest first, the same out.

        (2B, C, h, w), (2B, C, h/2, w/2), (2B, 2C, h/4, w/4), (2B, 2C, h/8, w/8).
        """
        enlarge = self.steps.enlarge
        z0, z1, z2, z3 = maps
        z0 = self.enc_attn0(z0)
        z1 = self.enc_attn1(self.down_concat1(z1, self.down_conv0(z0)))
        z2 = self.enc_attn2(self.down_concat2(z2, self.down_conv1(z1)))
        z3 = self.down_concat3(z3, self.down_conv2(z2))
        z3 = self.dec_attn3s(self.enc_attn3s(z3))
        z2 = self.dec_attn2(self.up_concat2(z2, enlarge(z3, self.up_conv2[1])))
        z1 = self.dec_attn1(self.up_concat1(z1, enlarge(z2, self.up_conv1[1])))
        z0 = self.dec_attn0(self.up_concat0(z0, enlarge(z1, self.up_conv0[1])))
        return z0, z1, z2, z3


class Transformer(nn.Module):
    """Blocks of the same build, one after the other."""

    def __init__(self, width: int, blocks: int, steps: Steps) -> None:
        super().__init__()
        self.uformer_list = nn.ModuleList(
            MultiResolutionBlock(width, steps) for _ in range(blocks)
        )

    def forward(self, maps: Maps) -> Tensor:
        """Four maps as in MultiResolutionBlock, the finest (2B, C, h, w) out."""
        for block in self.uformer_list:
            maps = block(maps)
        return maps[0]


def _global_blocks(width: int, steps: Steps) -> nn.Sequential:
    return nn.Sequential(*(CrossBlock(width, 8, steps, rows=False) for _ in range(2)))
