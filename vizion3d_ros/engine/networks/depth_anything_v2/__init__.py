# SPDX-License-Identifier: Apache-2.0
"""
Depth Anything V2, the network for one camera, in its three published sizes.

    image ─ encoder (with positions) ─ four maps ─ head ─ inverse depth, or depth in metres

Yang, Kang, Huang, Zhao, Xu, Feng, Zhao, NeurIPS 2024, arXiv 2406.09414.
docs/networks/depth_anything_v2.md has the equations.
"""

from __future__ import annotations

from vizion3d_ros.engine.networks.depth_anything_v2.encoder import PATCH
from vizion3d_ros.engine.networks.depth_anything_v2.network import DepthAnythingV2
from vizion3d_ros.engine.networks.sizes import DEPTH_ANYTHING_SIZES

__all__ = ['PATCH', 'DepthAnythingV2', 'build']


def build(encoder: str, metric_max_depth: float | None = None) -> DepthAnythingV2:
    """
    A network of one size with random weights, its state dict named as the published checkpoints.

    metric_max_depth: metres that a metric checkpoint was trained for; None for a relative one. The
    weights of both have the same names and shapes. Made under torch.device('meta') it holds no
    memory until load_state_dict(..., assign=True). Raises KeyError for an encoder that is not in
    DEPTH_ANYTHING_SIZES.
    """
    return DepthAnythingV2(DEPTH_ANYTHING_SIZES[encoder], metric_max_depth).eval()
