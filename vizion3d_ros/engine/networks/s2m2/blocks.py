# SPDX-License-Identifier: Apache-2.0
"""
Convolutional building blocks of S2M2; docs/networks/s2m2.md, section 3.

Attributes are named as the entries of the published checkpoints.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vizion3d_ros.engine.networks.s2m2.kernels.winograd import convolve


class Convolution(nn.Conv2d):
    """A convolution that keeps the size of the map, with fewer products where that pays."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int | tuple[int, int], bias: bool = True
    ) -> None:
        super().__init__(inputs, outputs, kernel, bias=bias)
        self.padding = tuple(size // 2 for size in self.kernel_size)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) to (B, outputs, h, w)."""
        return convolve(x, self.weight, self.bias)


class Gelu(nn.Module):
    """The exact form; PyTorch has a faster kernel for maps that are contiguous as they stand."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, h, w), the same out."""
        if x.is_contiguous():
            return F.gelu(x)
        return F.gelu(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class GateFusion(nn.Module):
    """Two maps become one; a gate decides for every entry which of them to keep."""

    def __init__(self, width: int, kernel: int = 1) -> None:
        super().__init__()
        self.feature_gate = nn.Sequential(
            Convolution(2 * width, width, kernel),
            Gelu(),
            nn.Conv2d(width, width, 1),
            nn.Sigmoid(),
        )
        self.feature_fusion = nn.Sequential(
            Convolution(2 * width, 2 * width, kernel),
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

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            Convolution(width, width, 3), Gelu(), Convolution(width, width, 3)
        )
        self.convs_1x = nn.Sequential(
            nn.Conv2d(width, width, 1), nn.ReLU(inplace=True), nn.Conv2d(width, width, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, h, w), the same out."""
        return self.convs(x).add_(self.convs_1x(x))


class DownStep(nn.Sequential):
    """(B, inputs, h, w) to (B, outputs, h / 2, w / 2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1))


class UpStep(nn.Sequential):
    """(B, inputs, h, w) to (B, outputs, 2 h, 2 w)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Upsample(scale_factor=2, mode='bilinear'), nn.Conv2d(inputs, outputs, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Interpolation weights sum to one, so the convolution goes first, on fewer pixels."""
        enlarge, convolution = self
        return enlarge(convolution(x))
