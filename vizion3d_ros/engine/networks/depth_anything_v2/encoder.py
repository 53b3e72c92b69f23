# SPDX-License-Identifier: Apache-2.0
"""
The encoder, a DINOv2 vision transformer; docs/networks/depth_anything_v2.md, section 4.

Oquab et al., arXiv 2304.07193. Attributes are named as the entries of the published checkpoints.
Shapes: B images, T = 1 + rows * columns tokens with the class token first, D channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vizion3d_ros.engine.networks.depth_anything_v2.positions import TRAINED, Stretched
from vizion3d_ros.engine.networks.linear import Linear

PATCH = 14  # pixels on a side
EPS = 1e-6


class PatchEmbed(nn.Module):
    """Every patch becomes one token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, rows * columns, D), row-major."""
        tokens: Tensor = self.proj(x)
        return tokens.flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Self-attention; every head is 64 channels wide."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Linear(width, 3 * width)
        self.proj = Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D), the same out."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    """Two layers with the exact GELU between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = Linear(width, 4 * width)
        self.fc2 = Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D), the same out."""
        return self.fc2(F.gelu(self.fc1(x)))


class LayerScale(nn.Module):
    """A learnt factor per channel on what a branch adds."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor, branch: Tensor) -> Tensor:
        """X + gamma * branch, in one step; all (B, T, D)."""
        return torch.addcmul(x, branch, self.gamma)


class Block(nn.Module):
    """Attention between the tokens, then two layers on each of them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, EPS)
        self.attn = Attention(width, heads)
        self.ls1 = LayerScale(width)
        self.norm2 = nn.LayerNorm(width, EPS)
        self.mlp = Mlp(width)
        self.ls2 = LayerScale(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D), the same out."""
        x = self.ls1(x, self.attn(self.norm1(x)))
        return self.ls2(x, self.mlp(self.norm2(x)))


class Encoder(nn.Module):
    """An image to the maps that the head reads."""

    def __init__(self, width: int, blocks: int, heads: int, taps: tuple[int, ...]) -> None:
        super().__init__()
        self.taps = taps
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + TRAINED * TRAINED, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))  # of training; checkpoints have it
        self.patch_embed = PatchEmbed(width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(width, EPS)
        self._positions = Stretched()

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) to the normalised output of each tapped block, (B, D, rows, columns)."""
        grid = x.shape[-2] // PATCH, x.shape[-1] // PATCH
        tokens = self._tokens(x, grid)
        maps = []
        for number, block in enumerate(self.blocks):
            tokens = block(tokens)
            if number in self.taps:
                patches = self.norm(tokens[:, 1:])
                maps.append(patches.transpose(1, 2).unflatten(2, grid))
        return maps

    def _tokens(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        """What the first block takes: (B, T, D)."""
        patches = self.patch_embed(x)
        tokens = torch.cat((self.cls_token.expand(len(x), -1, -1), patches), dim=1)
        return tokens + self._positions.get(self.pos_embed, grid, tokens.dtype)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Encoder:
        """Everything that moves or converts a module comes through here."""
        self._positions.clear()
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]

    def _load_from_state_dict(self, *args: Any) -> None:
        """Everything that loads a module comes through here."""
        self._positions.clear()
        super()._load_from_state_dict(*args)
