# SPDX-License-Identifier: Apache-2.0
"""
Attention blocks of S2M2; docs/networks/s2m2.md, sections 3.3 to 3.5.

Tokens are (sequences, N, n). Where both images are needed the first half of the sequences comes
from the left image and the second half, in the same order, from the right one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vizion3d_ros.engine.networks.linear import Linear
from vizion3d_ros.engine.networks.s2m2.kernels.attention import encoded_attention
from vizion3d_ros.engine.networks.s2m2.kernels.positions import CODES


def plain_norm(tokens: Tensor) -> Tensor:
    """Layer norm over the last axis (..., n) without parameters."""
    return F.layer_norm(tokens, tokens.shape[-1:])


class Attention(nn.Module):
    """What every kind of attention has: four projections, and heads cut from their channels."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = Linear(width, width, bias=False)
        self.k = Linear(width, width, bias=False)
        self.v = Linear(width, width)
        self.proj = Linear(width, width, bias=False)

    def cut(self, tokens: Tensor) -> Tensor:
        """(sequences, N, n) to (sequences, heads, N, n / heads)."""
        return tokens.view(*tokens.shape[:2], self.heads, -1).transpose(1, 2)

    def project(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """q, k and v of tokens, each (sequences, heads, N, n / heads)."""
        return self.cut(self.q(tokens)), self.cut(self.k(tokens)), self.cut(self.v(tokens))

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """softmax(q k^T / sqrt(e)) v, all (sequences, heads, N, e)."""
        return F.scaled_dot_product_attention(q, k, v)

    def join(self, heads: Tensor) -> Tensor:
        """(sequences, heads, N, n / heads) to (sequences, N, n), projected."""
        return self.proj(heads.transpose(1, 2).flatten(2))


class SelfAttention(Attention):
    """Attention of every sequence to itself."""

    def forward(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """Tokens (sequences, N, n), the same out; the grid does not matter."""
        return self.join(self.attend(*self.project(tokens)))


class EncodedSelfAttention(Attention):
    """Self attention that also gathers where the attended tokens lie, relative to the query."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.pe_proj = Linear(2 * CODES, width // heads)

    def forward(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """Tokens (sequences, N, n) of a grid (height, width), the same out."""
        values, codes = encoded_attention(*self.project(tokens), grid)
        return self.join(values + self.pe_proj(codes))


class CrossAttention(Attention):
    """Left attends to right and right to left, with the same weights."""

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (2 sequences, N, n), left before right, the same out."""
        (ql, qr), (kl, kr), (vl, vr) = (part.chunk(2) for part in self.project(tokens))
        return self.join(torch.cat((self.attend(ql, kr, vr), self.attend(qr, kl, vl))))


class SelfPart(nn.Module):
    """z + self attention of norm(z)."""

    def __init__(self, width: int, heads: int, encoded: bool = False) -> None:
        super().__init__()
        kind = EncodedSelfAttention if encoded else SelfAttention
        self.attn = kind(width, heads)

    def forward(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """Tokens (sequences, N, n), the same out; N = height * width of the grid if 2-D."""
        return self.attn(plain_norm(tokens), grid).add_(tokens)


class CrossPart(nn.Module):
    """z + cross attention of norm(z)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = CrossAttention(width, heads)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (2 sequences, N, n), the same out."""
        return self.attn(plain_norm(tokens)).add_(tokens)


class FeedForward(nn.Module):
    """z + two linear layers of norm(z)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = Linear(width, width), Linear(width, width)
        self.ffn = nn.Sequential(first, nn.GELU(), second)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (sequences, N, n), the same out."""
        return self.ffn(plain_norm(tokens)).add_(tokens)


class GlobalBlock(nn.Module):
    """Self attention over the whole map."""

    def __init__(self, width: int, heads: int, encoded: bool = False) -> None:
        super().__init__()
        self.self_attn = SelfPart(width, heads, encoded)
        self.ffn = FeedForward(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, h, w), the same out."""
        grid = (x.shape[-2], x.shape[-1])
        tokens = self.ffn(self.self_attn(_map_tokens(x), grid))
        return tokens.view(-1, *grid, x.shape[1]).permute(0, 3, 1, 2)


class CrossBlock(nn.Module):
    """Attention between the images, then within each: over rows, or over the whole map."""

    def __init__(self, width: int, heads: int, rows: bool) -> None:
        super().__init__()
        self.rows = rows
        self.cross_attn = CrossPart(width, heads)
        self.ffn_c = FeedForward(width)
        self.self_attn = SelfPart(width, heads)
        self.ffn = FeedForward(width)

    def forward(self, x: Tensor) -> Tensor:
        """(2B, n, h, w), left before right, the same out."""
        grid = (x.shape[-2], x.shape[-1])
        tokens = _row_tokens(x) if self.rows else _map_tokens(x)
        tokens = self.ffn_c(self.cross_attn(tokens))
        tokens = self.ffn(self.self_attn(tokens, grid))
        return tokens.view(-1, *grid, x.shape[1]).permute(0, 3, 1, 2)


def _map_tokens(x: Tensor) -> Tensor:
    """(B, n, h, w) to one sequence for each map: (B, h * w, n)."""
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def _row_tokens(x: Tensor) -> Tensor:
    """(B, n, h, w) to one sequence for each row: (B * h, w, n)."""
    return x.permute(0, 2, 3, 1).flatten(0, 1)
