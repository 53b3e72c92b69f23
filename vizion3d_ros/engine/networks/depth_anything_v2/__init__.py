# SPDX-License-Identifier: Apache-2.0
"""
Depth Anything V2, the network for one camera, in its three published sizes.

    image ─ encoder (with positions) ─ four maps ─ head ─ inverse depth, or depth in metres

Yang, Kang, Huang, Zhao, Xu, Feng, Zhao, NeurIPS 2024, arXiv 2406.09414.
"""

from __future__ import annotations

from vizion3d_ros.engine.networks.depth_anything_v2.encoder import PATCH
from vizion3d_ros.engine.networks.depth_anything_v2.network import DepthAnythingV2, Size

__all__ = ['ENCODERS', 'PATCH', 'DepthAnythingV2', 'Size', 'build']

ENCODERS = {
    'vits': Size(384, 12, 6, (2, 5, 8, 11), 64, (48, 96, 192, 384)),
    'vitb': Size(768, 12, 12, (2, 5, 8, 11), 128, (96, 192, 384, 768)),
    'vitl': Size(1024, 24, 16, (4, 11, 17, 23), 256, (256, 512, 1024, 1024)),
}
"""What is particular to each size."""


def build(encoder: str, metric_max_depth: float | None = None) -> DepthAnythingV2:
    """
    A network of one size with random weights, its state dict named as the published checkpoints.

    metric_max_depth: metres that a metric checkpoint was trained for; None for a relative one. The
    weights of both have the same names and shapes. Made under torch.device('meta') it holds no
    memory until load_state_dict(..., assign=True). Raises KeyError for an encoder that is not in
    ENCODERS.
    """
    return DepthAnythingV2(ENCODERS[encoder], metric_max_depth).eval()
