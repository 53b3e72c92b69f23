# SPDX-License-Identifier: Apache-2.0
"""
Reading the cost volume around the present disparity.

docs/networks/s2m2.md, section 5.4.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

LookUp = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

RADIUS = 4


def look_up(scores: Tensor, disparity: Tensor) -> tuple[Tensor, Tensor]:
    """
    Two levels of 9 scores around left column minus disparity, each (B, 9, h, w) float32.

    scores are (B, h, w, w): row, left column, right column; disparity (B, 1, h, w) in columns,
    float32. Scores are interpolated between columns and 0 outside. The second level steps in
    columns of half resolution, each the mean of two; they are made only where they are read.
    """
    left = torch.arange(scores.shape[-1], device=scores.device)
    matched = left - disparity.squeeze(1)
    return _around(scores, matched, 1), _around(scores, matched / 2, 2)


def _around(scores: Tensor, position: Tensor, stride: int) -> Tensor:
    """Scores (B, 9, h, w) around a position (B, h, w) counted in groups of stride columns."""
    whole = position.floor()
    steps = torch.arange(-RADIUS, RADIUS + 2, device=scores.device)
    group = whole.long().unsqueeze(-1) + steps
    groups = scores.shape[-1] // stride
    first = group.clamp(0, groups - 1) * stride
    values = sum(scores.gather(-1, first + step) for step in range(stride)) / stride
    values = values * ((group >= 0) & (group < groups))
    share = (position - whole).unsqueeze(-1)
    return values[..., :-1].lerp(values[..., 1:], share).permute(0, 3, 1, 2)
