# SPDX-License-Identifier: Apache-2.0
"""
The plain form of every step of S2M2, as the specification writes it down.

Made to be compared with: parity tests and the benchmark run the same network with these steps in
place of the fast ones. S2M2 (arXiv 2507.13229); sections 4.3, 5, 6.2, 7.1, 7.4 and 8.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.positions import axis_table
from vizion3d_ros.engine.networks.s2m2.steps import Steps
from vizion3d_ros.engine.networks.s2m2.transport import EPSILON, FORBIDDEN, RADIUS, ROUNDS


def plain_convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolution that keeps the size: (B, n, h, w) and (m, n, kh, kw) to (B, m, h, w)."""
    return F.conv2d(x, weight, bias, padding=(weight.shape[2] // 2, weight.shape[3] // 2))


def plain_gates(x: Tensor, first: nn.Conv2d, second: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """Two convolutions of one map."""
    return first(x), second(x)


def plain_settle(convolution: nn.Conv2d, constant: Tensor, first: int) -> Tensor:
    """The constant itself: nothing is done ahead of time."""
    return constant


def plain_mix(
    convolution: nn.Conv2d, before: tuple[Tensor, ...], settled: Tensor, after: Tensor
) -> Tensor:
    """The convolution of all inputs."""
    return convolution(torch.cat((*before, settled, after), dim=1))


def plain_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attended values (batch, heads, tokens, e), with the scores written out."""
    return attention_weights(q, k) @ v


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
    """R of section 5: (tokens, tokens, 32) for a grid (height, width), x part first."""
    height, width = grid
    x = torch.arange(width, device=device).repeat(height)
    y = torch.arange(height, device=device).repeat_interleave(width)
    in_x = axis_table(width, dtype, device)[x[:, None], x[None, :]]
    in_y = axis_table(height, dtype, device)[y[:, None], y[None, :]]
    return 0.5 * torch.cat((in_x, in_y), dim=-1)


def plain_enlarge(x: Tensor, convolution: nn.Module) -> Tensor:
    """Interpolation, then the convolution: (B, n, h, w) to (B, m, 2h, 2w)."""
    return convolution(F.interpolate(x, scale_factor=2, mode='bilinear', align_corners=False))


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


def plain_look_up(scores: Tensor, disparity: Tensor) -> tuple[Tensor, Tensor]:
    """Two levels of 9 scores (B, 9, h, w) through a sampler of two dimensions."""
    halved = (scores[..., 0::2] + scores[..., 1::2]) / 2
    return sampled_look_up(scores, halved, disparity, align_corners=True)


def sampled_look_up(
    scores: Tensor, halved: Tensor, disparity: Tensor, *, align_corners: bool
) -> tuple[Tensor, Tensor]:
    """As plain_look_up, with the second level given: (B, h, w, w / 2)."""
    left = torch.arange(scores.shape[-1], device=scores.device, dtype=disparity.dtype)
    matched = left - disparity.squeeze(1)
    return (
        _sample(scores, matched, align_corners),
        _sample(halved, matched / 2, align_corners),
    )


def _sample(scores: Tensor, position: Tensor, align_corners: bool) -> Tensor:
    """Nine scores (B, 9, h, w) around the position (B, h, w); every image row is a picture."""
    batch, rows, left, right = scores.shape
    x = position[..., None] + torch.arange(-4, 5, device=scores.device)
    y = torch.arange(left, device=scores.device, dtype=x.dtype)[:, None].expand_as(x)
    grid = torch.stack((2 * x / (right - 1) - 1, 2 * y / (left - 1) - 1), dim=-1)
    picture = scores.reshape(batch * rows, 1, left, right)
    values = F.grid_sample(picture, grid.flatten(0, 1), align_corners=align_corners)
    return values.reshape(batch, rows, left, 9).permute(0, 3, 1, 2)


def plain_convex_sum(weights: Tensor, maps: Tensor) -> Tensor:
    """Maps (B, n, H, W) from coarse ones, with every neighbour written out at full size."""
    batch, count, height, width = maps.shape
    near = F.unfold(F.pad(maps, (1, 1, 1, 1), mode='replicate'), 3)
    near = near.reshape(batch, count * 9, height, width)
    near = F.interpolate(near, size=weights.shape[-2:], mode='nearest')
    return (near.reshape(batch, count, 9, *near.shape[-2:]) * weights[:, None]).sum(dim=2)


PLAIN = Steps(
    convolve=plain_convolve,
    gates=plain_gates,
    settle=plain_settle,
    mix=plain_mix,
    attention=plain_attention,
    encoded_attention=plain_encoded_attention,
    enlarge=plain_enlarge,
    transport=plain_transport,
    look_up=plain_look_up,
    convex_sum=plain_convex_sum,
    linear=nn.Linear,
    memory_format=torch.contiguous_format,
)
