# SPDX-License-Identifier: Apache-2.0
"""
Convolutional building blocks of S2M2 (arXiv 2507.13229); our specification 4.1, 4.2 and 6.2.

Attributes are named as the entries of the published checkpoints.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.steps import Steps


class Convolution(nn.Conv2d):
    """A convolution that keeps the size of the map, computed as the steps say."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        steps: Steps,
        bias: bool = True,
    ) -> None:
        super().__init__(inputs, outputs, kernel, bias=bias)
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) to (B, outputs, h, w)."""
        return self.steps.convolve(x, self.weight, self.bias)


class Gelu(nn.Module):
    """The exact form; PyTorch has a faster kernel for maps that are contiguous as they stand."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, h, w), the same out."""
        if x.is_contiguous():
            return F.gelu(x)
        return F.gelu(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class GateFusion(nn.Module):
    """Two maps become one; a gate decides for every entry which of them to keep."""

    def __init__(self, width: int, steps: Steps, kernel: int = 1) -> None:
        super().__init__()
        self.feature_gate = nn.Sequential(
            Convolution(2 * width, width, kernel, steps),
            Gelu(),
            nn.Conv2d(width, width, 1),
            nn.Sigmoid(),
        )
        self.feature_fusion = nn.Sequential(
            Convolution(2 * width, 2 * width, kernel, steps),
            Gelu(),
            nn.Conv2d(2 * width, width, 1),
        )

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Two maps (B, n, h, w) to one; the gate opens for the first."""
        both = torch.cat((first, second), dim=1)
        gate = self.feature_gate(both).clamp_(0.01, 0.99)
        return self.feature_fusion(both).add_(torch.lerp(second, first, gate))


class ConvBlock(nn.Module):
    """A 3x3 and a 1x1 branch, added; no skip connection."""

    def __init__(self, width: int, steps: Steps) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            Convolution(width, width, 3, steps), Gelu(), Convolution(width, width, 3, steps)
        )
        self.convs_1x = nn.Sequential(
            nn.Conv2d(width, width, 1), nn.ReLU(inplace=True), nn.Conv2d(width, width, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, h, w), the same out."""
        return self.convs(x).add_(self.convs_1x(x))


def down_step(inputs: int, outputs: int) -> nn.Sequential:
    """(B, inputs, h, w) to (B, outputs, h / 2, w / 2)."""
    return nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1))


def up_step(inputs: int, outputs: int) -> nn.ModuleList:
    """The two parts of an enlargement, for Steps.enlarge; the convolution is number 1."""
    return nn.ModuleList((nn.Identity(), nn.Conv2d(inputs, outputs, 1)))
