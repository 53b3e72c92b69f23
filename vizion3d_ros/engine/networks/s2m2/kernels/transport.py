# SPDX-License-Identifier: Apache-2.0
"""
From matching scores to disparities, by optimal transport along image rows.

docs/networks/s2m2.md, section 5.1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

ROUNDS = 3
RADIUS = 2  # columns on each side of the best match
FORBIDDEN = -1e4
EPSILON = 1e-4


def transport(scores: Tensor, allow_negative: bool) -> tuple[Tensor, Tensor, Tensor]:
    """
    Disparity in columns, confidence and visibility, each (B, 1, h, w), from scores (B, h, w, w).

    scores[b, y, i, j] speaks for left column i and right column j; it stays as it is. The
    dustbins of score 0 are carried beside the table, not in it. The rounds end on a row update,
    so every row of the plan is a softmax over its columns and the dustbin; of the plan itself
    only the five columns around the best one are ever made.
    """
    columns = scores.shape[-1]
    if not allow_negative:
        ahead = torch.ones(columns, columns, dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(ahead, FORBIDDEN)
    potentials, dustbin = _column_potentials(scores)
    table = scores + potentials.unsqueeze(-2)
    best, column = table.max(dim=-1, keepdim=True)
    taps = column + torch.arange(-RADIUS, RADIUS + 1, device=column.device)
    near = table.gather(-1, taps.clamp(0, columns - 1))
    total = torch.logaddexp(_log_sum_exp(table, best, dim=-1), dustbin).unsqueeze(-1)
    mass = (near - total).exp() * ((taps >= 0) & (taps < columns))
    visibility = 1 - (dustbin - total.squeeze(-1)).exp()
    disparity, confidence = read_window(mass, taps)
    return disparity[:, None], confidence[:, None], visibility.clamp_min(0)[:, None]


def read_window(mass: Tensor, taps: Tensor) -> tuple[Tensor, Tensor]:
    """Disparity and confidence (B, h, w) from the plan at five right columns (B, h, w, 5)."""
    confidence = mass.sum(dim=-1)
    moment = (mass * taps).sum(dim=-1)
    left = torch.arange(mass.shape[-2], device=mass.device)
    return left - (moment + EPSILON) / (confidence + EPSILON), confidence


def _column_potentials(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Potentials of the right columns (B, h, w) and of their dustbin (B, h, 1)."""
    rows, row_bin = torch.zeros_like(scores[..., 0]), torch.zeros_like(scores[..., 0, :1])
    for _ in range(ROUNDS - 1):
        columns, column_bin = _update(scores, rows, row_bin, dim=-2)
        rows, row_bin = _update(scores, columns, column_bin, dim=-1)
    return _update(scores, rows, row_bin, dim=-2)


def _update(scores: Tensor, other: Tensor, other_bin: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """One side's potentials (B, h, w) and dustbin (B, h, 1), summing over the other side's dim."""
    share = -math.log(2 * scores.shape[-1])  # half of the mass goes to the dustbin
    table = scores + other.unsqueeze(-3 - dim)
    top = table.amax(dim, keepdim=True)
    mine = share - torch.logaddexp(_log_sum_exp(table, top, dim), other_bin)
    everything = torch.logaddexp(other.logsumexp(-1, keepdim=True), other_bin)
    return mine, -math.log(2) - everything


def _log_sum_exp(table: Tensor, top: Tensor, dim: int) -> Tensor:
    """log(sum(exp(table))) over dim; top is the maximum with dim kept, table is overwritten."""
    return table.sub_(top).exp_().sum(dim).log_().add_(top.squeeze(dim))
