# SPDX-License-Identifier: Apache-2.0
"""
The plain network: every step as docs/networks/s2m2.md defines it, with nothing made fast.

The parity tests and the benchmark compare with it. Layers become those of torch, and the classes
below write out the rest; so the architecture is written once, in the package's own modules.
"""

from __future__ import annotations

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vizion3d_ros.engine.networks.linear import Linear
from vizion3d_ros.engine.networks.s2m2.attention import (
    Attention,
    CrossAttention,
    EncodedSelfAttention,
    SelfAttention,
)
from vizion3d_ros.engine.networks.s2m2.blocks import Convolution, UpStep
from vizion3d_ros.engine.networks.s2m2.kernels.positions import axis_table
from vizion3d_ros.engine.networks.s2m2.kernels.transport import (
    EPSILON,
    FORBIDDEN,
    RADIUS,
    ROUNDS,
)
from vizion3d_ros.engine.networks.s2m2.matching import Matching
from vizion3d_ros.engine.networks.s2m2.network import S2M2
from vizion3d_ros.engine.networks.s2m2.refinement import (
    SEEN,
    Joining,
    SeparableGru,
)
from vizion3d_ros.engine.networks.s2m2.revisions import sampled_look_up
from vizion3d_ros.engine.networks.s2m2.upsampling import convex_weights


def plain(network: S2M2) -> S2M2:
    """
    The same network, of the newest revision, changed in place: weights and names stay.

    Classes are exchanged in objects that exist, as torch's own parametrizations do it: it spares
    every constructor on the way down a parameter for the kind of layer to make.
    """
    for module in network.modules():
        module.__class__ = PLAIN.get(type(module), type(module))
    network.refiner.look_up = plain_look_up
    network.lay_out()
    return network


plain_look_up = partial(sampled_look_up, align_corners=True)


class PlainAttention(Attention):
    """Attention with the scores written out."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Values (sequences, heads, N, e) by weight."""
        return attention_weights(q, k) @ v


class PlainSelfAttention(PlainAttention, SelfAttention):
    """Self attention with the scores written out."""


class PlainCrossAttention(PlainAttention, CrossAttention):
    """Cross attention with the scores written out."""


class PlainEncodedSelfAttention(EncodedSelfAttention):
    """Attended codes from the whole table of relative positions."""

    def forward(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """Tokens (sequences, N, n) of a grid (height, width), the same out."""
        values, codes = plain_encoded_attention(*self.project(tokens), grid)
        return self.join(values + self.pe_proj(codes))


class PlainMatching(Matching):
    """Transport with the whole table and its dustbins."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """As Matching, with scores (B, h, w, w) as the last."""
        scores = self.score(features)
        return *plain_transport(scores, self.allow_negative), scores


class PlainJoining(Joining):
    """Nothing is computed ahead of time."""

    def settle(self, context: Tensor) -> Tensor:
        """The context itself (B, C, h, w)."""
        return context

    def join(self, x: Tensor, settled: Tensor) -> Tensor:
        """One convolution of everything: (B, 256, h, w) and the context to (B, 2C, h, w)."""
        return self(torch.cat((x[:, :SEEN], settled, x[:, SEEN:]), dim=1))


class PlainGru(SeparableGru):
    """Every gate by its own convolution."""

    def gates(self, x: Tensor, z: nn.Conv2d, r: nn.Conv2d) -> tuple[Tensor, Tensor]:
        """Two convolutions of one map (B, 2C, h, w), each (B, C, h, w)."""
        return z(x), r(x)


class PlainS2M2(S2M2):
    """Maps in the usual layout; convex upsampling with every neighbour written out."""

    layout = torch.contiguous_format

    def upsample(self, logits: Tensor, maps: Tensor) -> Tensor:
        """Logits (B, 9, H, W) and coarse maps (B, n, h, w) to maps (B, n, H, W)."""
        return plain_convex_sum(convex_weights(logits, self.sharp_upsampling), maps)


PLAIN: dict[type[nn.Module], type[nn.Module]] = {
    Convolution: nn.Conv2d,
    UpStep: nn.Sequential,
    Linear: nn.Linear,
    SelfAttention: PlainSelfAttention,
    CrossAttention: PlainCrossAttention,
    EncodedSelfAttention: PlainEncodedSelfAttention,
    Matching: PlainMatching,
    Joining: PlainJoining,
    SeparableGru: PlainGru,
    S2M2: PlainS2M2,
}


def attention_weights(q: Tensor, k: Tensor) -> Tensor:
    """Softmax over keys of scaled scores: (batch, heads, tokens, tokens)."""
    return (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(dim=-1)


def plain_encoded_attention(
    q: Tensor, k: Tensor, v: Tensor, grid: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Attended values, and attended codes (batch, heads, tokens, 32) from the whole table."""
    weights = attention_weights(q, k)
    table = position_table(grid, q.dtype, q.device)
    return weights @ v, torch.einsum('bmij,ijc->bmic', weights, table)


def position_table(grid: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """R of section 3.5: (tokens, tokens, 32) for a grid (height, width), x part first."""
    height, width = grid
    x = torch.arange(width, device=device).repeat(height)
    y = torch.arange(height, device=device).repeat_interleave(width)
    in_x = axis_table(width, dtype, device)[x[:, None], x[None, :]]
    in_y = axis_table(height, dtype, device)[y[:, None], y[None, :]]
    return 0.5 * torch.cat((in_x, in_y), dim=-1)


def plain_transport(scores: Tensor, allow_negative: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Disparity, confidence and visibility (B, 1, h, w) from scores (B, h, w, w)."""
    width = scores.shape[-1]
    forbidden = torch.zeros(width, width, dtype=torch.bool, device=scores.device)
    if not allow_negative:
        forbidden = torch.ones_like(forbidden).triu(1)
    table = F.pad(scores.masked_fill(forbidden, FORBIDDEN), (0, 1, 0, 1))
    marginal = scores.new_full((width + 1,), 1 / (2 * width))
    marginal[-1] = 0.5
    plan = (sinkhorn(table, marginal.log()) + math.log(2 * width)).exp()
    plan = plan[..., :-1, :-1].masked_fill(forbidden, 0)
    best = plan.argmax(dim=-1, keepdim=True)
    near = F.pad(plan, (RADIUS, RADIUS)).gather(-1, best + torch.arange(5, device=best.device))
    column = best + torch.arange(-RADIUS, RADIUS + 1, device=best.device)
    confidence, moment = near.sum(dim=-1), (near * column).sum(dim=-1)
    matched = (moment + EPSILON) / (confidence + EPSILON)
    disparity = torch.arange(width, device=scores.device) - matched
    return disparity[:, None], confidence[:, None], plan.sum(dim=-1)[:, None]


def sinkhorn(table: Tensor, marginal: Tensor) -> Tensor:
    """Logarithm of the plan for scores with dustbins (B, h, w + 1, w + 1)."""
    u = torch.zeros_like(table[..., 0])
    for _ in range(ROUNDS):
        v = marginal - log_sum_exp(table + u[..., :, None], dim=-2)
        u = marginal - log_sum_exp(table + v[..., None, :], dim=-1)
    return table + u[..., :, None] + v[..., None, :]


def log_sum_exp(x: Tensor, dim: int) -> Tensor:
    """Logarithm of a sum of exponentials, the sum not below 1e-30."""
    top = x.amax(dim, keepdim=True)
    return top.squeeze(dim) + (x - top).exp().sum(dim).clamp_min(1e-30).log()


def plain_convex_sum(weights: Tensor, maps: Tensor) -> Tensor:
    """Maps (B, n, H, W) from coarse ones, with every neighbour written out at full size."""
    batch, count, height, width = maps.shape
    near = F.unfold(F.pad(maps, (1, 1, 1, 1), mode='replicate'), 3)
    near = near.reshape(batch, count * 9, height, width)
    near = F.interpolate(near, size=weights.shape[-2:], mode='nearest')
    return (near.reshape(batch, count, 9, *near.shape[-2:]) * weights[:, None]).sum(dim=2)
