# SPDX-License-Identifier: Apache-2.0
"""
Older forms of the mathematics, with the same weights.

The released checkpoints are older than some changes of S2M2, and which form they were trained
with is not known: section 13.1 of our specification. Two further changes of that list need no
switch because no result can depend on them: forbidden matches at -1e4 instead of minus infinity,
and a clip inside the log-sum-exp. A dustbin of score 0 stands beside them in every sum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from vizion3d_ros.engine.networks.s2m2.reference import sampled_look_up
from vizion3d_ros.engine.networks.s2m2.steps import Steps


@dataclass(frozen=True)
class Revision:
    """What one revision does otherwise than the newest."""

    sharp_upsampling: bool = False
    """Convex weights max(softmax - 0.1, 0), divided by their sum."""
    sampled_second_level: bool = False
    """Look-ups at half resolution read every second row and column instead of means of pairs."""
    shifted_sampler: bool = False
    """Look-ups read the cost volume at x S/(S - 1) - 0.5 instead of x, on both axes."""


NEWEST = '2026-04-28'
REVISIONS = {
    '2025-10-30': Revision(True, True, True),
    '2026-01-10': Revision(False, True, True),
    '2026-01-18': Revision(False, False, True),
    NEWEST: Revision(),
}
"""By the day from which each form was in use."""


def as_of(revision: Revision, steps: Steps) -> Steps:
    """The steps with the look-ups of a revision."""
    if not (revision.sampled_second_level or revision.shifted_sampler):
        return steps
    return replace(steps, look_up=partial(_older_look_up, revision))


def _older_look_up(revision: Revision, scores: Tensor, disparity: Tensor) -> tuple[Tensor, Tensor]:
    """Two levels of 9 scores (B, 9, h, w) from scores (B, h, w, w), disparity (B, 1, h, w)."""
    if revision.sampled_second_level:
        halved = scores[:, ::2, ::2, ::2].repeat_interleave(2, 1).repeat_interleave(2, 2)
    else:
        halved = (scores[..., 0::2] + scores[..., 1::2]) / 2
    return sampled_look_up(scores, halved, disparity, align_corners=not revision.shifted_sampler)
