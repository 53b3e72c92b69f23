# SPDX-License-Identifier: Apache-2.0
"""
S2M2, the neural stereo network, in its four published sizes.

    images ─ backbone ─ unet ─ transformer ─ matching ─ refinement (global, local x3) ─ upsampling

Min, Jeon, Kim, Choi, ICCV 2025, arXiv 2507.13229. docs/networks/s2m2.md has the equations.
"""

from __future__ import annotations

from vizion3d_ros.engine.networks.s2m2.network import S2M2
from vizion3d_ros.engine.networks.s2m2.revisions import NEWEST, REVISIONS
from vizion3d_ros.engine.networks.sizes import S2M2_SIZES

__all__ = ['S2M2', 'build']


def build(
    variant: str,
    refine_iterations: int = 3,
    allow_negative: bool = False,
    *,
    revision: str = NEWEST,
) -> S2M2:
    """
    A network of one size with random weights, its state dict named as the published checkpoints.

    Made under torch.device('meta') it holds no memory until load_state_dict(..., assign=True).
    Raises KeyError for a variant that is not in S2M2_SIZES.
    """
    width, blocks = S2M2_SIZES[variant]
    return S2M2(width, blocks, refine_iterations, allow_negative, REVISIONS[revision]).eval()
