# SPDX-License-Identifier: Apache-2.0
"""
Depth Anything V2: one image to inverse depth, or to depth in metres.

Yang, Kang, Huang, Zhao, Xu, Feng, Zhao: Depth Anything V2, NeurIPS 2024, arXiv 2406.09414. Written
from docs/networks/depth_anything_v2.md.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.engine.networks.depth_anything_v2.encoder import PATCH, Encoder
from vizion3d_ros.engine.networks.depth_anything_v2.head import Head
from vizion3d_ros.engine.networks.layout import LaidOut
from vizion3d_ros.engine.networks.sizes import DepthAnythingSize


class DepthAnythingV2(LaidOut):
    """The whole network; build() in the package makes the published sizes."""

    def __init__(self, size: DepthAnythingSize, metric_max_depth: float | None) -> None:
        super().__init__()
        self.metric_max_depth = metric_max_depth
        self.pretrained = Encoder(size.width, size.blocks, size.heads, size.taps)
        self.depth_head = Head(size.width, size.head_width, size.tap_widths)
        self.lay_out()

    def forward(self, x: Tensor) -> Tensor:
        """
        Answer float (N, 3, H, W), RGB less the ImageNet mean over its deviation, with (N, H, W).

        Relative: inverse depth up to scale and shift, larger = nearer, 0 = as far as it gets.
        Metric: metres along the optical axis, in 0..metric_max_depth. The answer is float32, of a
        float64 network float64. Raises InputError unless H and W are multiples of 14. Use
        Module.to for half precision, not autocast.
        """
        _check(x)
        dtype = self.pretrained.cls_token.dtype
        x = x.to(dtype, memory_format=self.layout)
        values = self.depth_head(self.pretrained(x), x.shape[-2:]).squeeze(1)
        values = values.to(torch.promote_types(dtype, torch.float32))
        if self.metric_max_depth is None:
            return values.relu()
        return values.sigmoid() * self.metric_max_depth


def _check(x: Tensor) -> None:
    shape = tuple(x.shape)
    if len(shape) != 4 or shape[1] != 3 or 0 in shape or shape[2] % PATCH or shape[3] % PATCH:
        raise InputError(
            f'Depth Anything V2 takes (N, 3, H, W) with H and W multiples of {PATCH}, got '
            f'{shape}: resize the image first'
        )
