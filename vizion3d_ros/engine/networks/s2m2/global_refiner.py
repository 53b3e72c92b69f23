# SPDX-License-Identifier: Apache-2.0
"""New disparities where matching was unsure: S2M2 (arXiv 2507.13229), our specification 7.2."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.blocks import Convolution, Gelu
from vizion3d_ros.engine.networks.s2m2.steps import Steps
from vizion3d_ros.engine.networks.s2m2.unet import Unet

UNSURE = 0.2
SCALE = 100.0


class GlobalRefiner(nn.Module):
    """A Unet fills in what the confidence calls unsure."""

    def __init__(self, width: int, steps: Steps) -> None:
        super().__init__()
        self.init_feat = nn.Sequential(
            Convolution(width + 2, width, 3, steps), Gelu(), nn.Conv2d(width, width, 1)
        )
        self.refine_unet = Unet((width, width, width), 1, steps)
        self.out_feat = nn.Sequential(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, features: Tensor, disparity: Tensor, confidence: Tensor) -> Tensor:
        """Left features (B, C, h, w) and float32 maps (B, 1, h, w) to a disparity like that."""
        sure = confidence > UNSURE
        known = torch.where(sure, disparity / SCALE, 0.0)
        trust = torch.where(sure, confidence, 0.0).clamp(0.1, 0.9).logit()
        inputs = torch.cat((known.to(features.dtype), trust.to(features.dtype), features), dim=1)
        guess = self.out_feat(self.refine_unet(self.init_feat(inputs))[0])
        return torch.where(sure, disparity, guess.to(disparity.dtype) * SCALE)
