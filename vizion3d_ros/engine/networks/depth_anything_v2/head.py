# SPDX-License-Identifier: Apache-2.0
"""
The head, a dense prediction transformer's: four maps of one size to one map of the image's size.

Ranftl, Bochkovskiy, Koltun, ICCV 2021, arXiv 2103.13413; docs/networks/depth_anything_v2.md,
section 6. Attributes are named as the entries of the published checkpoints. F is the head's width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from vizion3d_ros.engine.networks.depth_anything_v2.full_size import read_off, resize

OUTPUT_WIDTH = 32  # in every size


def same_size(inputs: int, outputs: int, bias: bool = True) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size of the map."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)


class ResidualUnit(nn.Module):
    """Adds what two convolutions see in a map."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = same_size(width, width)
        self.conv2 = same_size(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, F, h, w), the same out."""
        seen: Tensor = self.conv2(F.relu_(self.conv1(F.relu(x))))
        return seen.add_(x)


class Fusion(nn.Module):
    """Joins a map with the one from deeper down, and enlarges it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(width, width, 1)
        self.resConfUnit1 = ResidualUnit(width)
        self.resConfUnit2 = ResidualUnit(width)

    def forward(self, x: Tensor, deeper: Tensor | None, size: Sequence[int]) -> Tensor:
        """
        X and deeper (B, F, h, w) to (B, F, *size); the deepest map has nothing deeper.

        Interpolation weights sum to one, so the 1x1 convolution goes first, on fewer pixels.
        """
        if deeper is not None:
            x = self.resConfUnit1(x).add_(deeper)
        return resize(self.out_conv(self.resConfUnit2(x)), size)


class Scratch(nn.Module):
    """The part of the head that was trained from scratch."""

    def __init__(self, width: int, tap_widths: tuple[int, ...]) -> None:
        super().__init__()
        first, second, third, fourth = tap_widths
        self.layer1_rn = same_size(first, width, bias=False)
        self.layer2_rn = same_size(second, width, bias=False)
        self.layer3_rn = same_size(third, width, bias=False)
        self.layer4_rn = same_size(fourth, width, bias=False)
        self.refinenet1 = Fusion(width)
        self.refinenet2 = Fusion(width)
        self.refinenet3 = Fusion(width)
        self.refinenet4 = Fusion(width)
        self.output_conv1 = same_size(width, width // 2)
        self.output_conv2 = nn.Sequential(
            same_size(width // 2, OUTPUT_WIDTH),
            nn.ReLU(inplace=True),
            nn.Conv2d(OUTPUT_WIDTH, 1, 1),
        )

    def forward(self, maps: list[Tensor], size: Sequence[int]) -> Tensor:
        """Four maps, finest first, to (B, 1, *size)."""
        r1 = self.layer1_rn(maps[0])
        r2 = self.layer2_rn(maps[1])
        r3 = self.layer3_rn(maps[2])
        r4 = self.layer4_rn(maps[3])
        path = self.refinenet4(r4, None, r3.shape[-2:])
        path = self.refinenet3(r3, path, r2.shape[-2:])
        path = self.refinenet2(r2, path, r1.shape[-2:])
        path = self.refinenet1(r1, path, [2 * side for side in r1.shape[-2:]])
        return read_off(self.output_conv1(path), size, self.output_conv2)


class Head(nn.Module):
    """Four maps of the encoder to one value per pixel, before the last activation."""

    def __init__(self, width: int, head_width: int, tap_widths: tuple[int, ...]) -> None:
        super().__init__()
        first, second, _, fourth = tap_widths
        self.projects = nn.ModuleList(nn.Conv2d(width, tap, 1) for tap in tap_widths)
        self.resize_layers = nn.ModuleList(
            (
                nn.ConvTranspose2d(first, first, 4, stride=4),
                nn.ConvTranspose2d(second, second, 2, stride=2),
                nn.Identity(),
                nn.Conv2d(fourth, fourth, 3, stride=2, padding=1),
            )
        )
        self.scratch = Scratch(head_width, tap_widths)

    def forward(self, maps: list[Tensor], size: Sequence[int]) -> Tensor:
        """Four maps (B, D, rows, columns), shallow to deep, to (B, 1, *size)."""
        layers = zip(maps, self.projects, self.resize_layers)
        return self.scratch([resized(project(x)) for x, project, resized in layers], size)
