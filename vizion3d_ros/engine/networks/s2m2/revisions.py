# SPDX-License-Identifier: Apache-2.0
"""
Older forms of the mathematics, with the same weights.

The released checkpoints are older than some changes of S2M2, and which form they were trained
with is not known: docs/networks/s2m2.md, section 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from vizion3d_ros.engine.networks.s2m2.kernels.lookup import RADIUS, LookUp, look_up


@dataclass(frozen=True)
class Revision:
    """What one revision does otherwise than the newest."""

    look_up: LookUp = look_up
    """Reads the cost volume around a disparity."""
    sharp_upsampling: bool = False
    """Convex weights max(softmax - 0.1, 0), divided by their sum."""


def sampled_look_up(
    scores: Tensor, disparity: Tensor, *, means: bool = True, align_corners: bool = False
) -> tuple[Tensor, Tensor]:
    """
    Two levels of 9 scores (B, 9, h, w) through a sampler of two dimensions.

    scores are (B, h, w, w), disparity (B, 1, h, w). Without align_corners the sampler reads at
    x S/(S - 1) - 0.5 instead of x, on both axes. The second level holds means of pairs, or else
    every second row and column.
    """
    left = torch.arange(scores.shape[-1], device=scores.device, dtype=disparity.dtype)
    matched = left - disparity.squeeze(1)
    if means:
        halved = (scores[..., 0::2] + scores[..., 1::2]) / 2
    else:
        halved = scores[:, ::2, ::2, ::2].repeat_interleave(2, 1).repeat_interleave(2, 2)
    return _sample(scores, matched, align_corners), _sample(halved, matched / 2, align_corners)


def _sample(scores: Tensor, position: Tensor, align_corners: bool) -> Tensor:
    """Nine scores (B, 9, h, w) around the position (B, h, w); every image row is a picture."""
    batch, rows, left, right = scores.shape
    x = position[..., None] + torch.arange(-RADIUS, RADIUS + 1, device=scores.device)
    y = torch.arange(left, device=scores.device, dtype=x.dtype)[:, None].expand_as(x)
    grid = torch.stack((2 * x / (right - 1) - 1, 2 * y / (left - 1) - 1), dim=-1)
    picture = scores.reshape(batch * rows, 1, left, right)
    values = F.grid_sample(picture, grid.flatten(0, 1), align_corners=align_corners)
    return values.reshape(batch, rows, left, -1).permute(0, 3, 1, 2)


NEWEST = '2026-04-28'
REVISIONS = {
    '2025-10-30': Revision(partial(sampled_look_up, means=False), sharp_upsampling=True),
    '2026-01-10': Revision(partial(sampled_look_up, means=False)),
    '2026-01-18': Revision(sampled_look_up),
    NEWEST: Revision(),
}
"""By the day from which each form was in use."""
