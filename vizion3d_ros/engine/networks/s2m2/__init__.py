# SPDX-License-Identifier: Apache-2.0
"""
S2M2, the neural stereo network, in its four published sizes.

    images ─ backbone ─ unet ─ transformer ─ matching ─ global_refiner ─ refiner (x3) ─ upsampling

Min, Jeon, Kim, Choi, ICCV 2025, arXiv 2507.13229.
"""

from __future__ import annotations

from vizion3d_ros.engine.networks.s2m2.network import S2M2
from vizion3d_ros.engine.networks.s2m2.revisions import NEWEST, REVISIONS
from vizion3d_ros.engine.networks.s2m2.steps import FAST, Steps

__all__ = ['S2M2', 'VARIANTS', 'build']

VARIANTS = {'S': (128, 1), 'M': (192, 2), 'L': (256, 3), 'XL': (384, 3)}
"""Channels and transformer blocks."""


def build(
    variant: str,
    refine_iterations: int = 3,
    allow_negative: bool = False,
    *,
    _steps: Steps = FAST,
    _revision: str = NEWEST,
) -> S2M2:
    """
    A network of one size with random weights, its state dict named as the published checkpoints.

    Made under torch.device('meta') it holds no memory until load_state_dict(..., assign=True).
    Raises KeyError for a variant that is not in VARIANTS.
    """
    width, blocks = VARIANTS[variant]
    revision = REVISIONS[_revision]
    return S2M2(width, blocks, refine_iterations, allow_negative, _steps, revision).eval()
