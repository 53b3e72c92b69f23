# SPDX-License-Identifier: Apache-2.0
"""Fit images to what a network takes, and bring its maps back to the image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

EDGE_PX = 1.0  # a larger step between neighbours is an edge, across which nothing is averaged


@dataclass(frozen=True, slots=True)
class Fit:
    """
    How images of height x width are shrunk to inner_height x inner_width and padded.

    The padded size is `canvas` if that is given, else a multiple of `multiple`; the image lies at
    (top, left) in it.
    """

    height: int
    width: int
    inner_height: int
    inner_width: int
    multiple: int
    canvas: tuple[int, int] | None = None

    @classmethod
    def into(cls, height: int, width: int, max_height: int, max_width: int, multiple: int) -> Fit:
        """Keep the aspect ratio; never enlarge. max_height, max_width bound the inner size."""
        share = min(1.0, max_height / height, max_width / width)
        inner = max(1, round(height * share)), max(1, round(width * share))
        return cls(height, width, *inner, multiple)

    @classmethod
    def onto(cls, height: int, width: int, canvas: tuple[int, int], multiple: int) -> Fit:
        """The same for a network that takes one size alone, canvas: its height and width."""
        return replace(cls.into(height, width, *canvas, multiple), canvas=canvas)

    @property
    def padded_size(self) -> tuple[int, int]:
        """Height and width after padding."""
        if self.canvas is not None:
            return self.canvas
        return self._rounded_up(self.inner_height), self._rounded_up(self.inner_width)

    @property
    def top_left(self) -> tuple[int, int]:
        """Row and column of the image's first pixel after padding."""
        height, width = self.padded_size
        return (height - self.inner_height) // 2, (width - self.inner_width) // 2

    @property
    def width_ratio(self) -> float:
        """True width ratio, image to inner: what a disparity found inside is multiplied by."""
        return self.width / self.inner_width

    def apply(self, images: Tensor) -> Tensor:
        """Shrink and pad: float32 (B, 3, height, width) to (B, 3, *padded_size)."""
        inner = (self.inner_height, self.inner_width)
        if inner != (self.height, self.width):
            images = interpolate(images, inner, mode='bilinear', antialias=True)
        return self._pad(images)

    def undo(self, maps: Tensor) -> Tensor:
        """Crop and enlarge: float32 (B, C, *padded_size) to (B, C, height, width)."""
        top, left = self.top_left
        inner = maps[..., top : top + self.inner_height, left : left + self.inner_width]
        return enlarged(inner, (self.height, self.width))

    def _pad(self, images: Tensor) -> Tensor:
        """
        Pad to the multiple with a blurred copy of the picture, which disturbs matching least.

        The black canvas with the image in its centre is averaged in cells of about `multiple`
        pixels and enlarged again: docs/networks/s2m2.md, section 7.
        """
        top, left = self.top_left
        padded = images.new_zeros((*images.shape[:2], *self.padded_size))
        if padded.shape == images.shape:
            return images
        centre = padded[..., top : top + self.inner_height, left : left + self.inner_width]
        centre.copy_(images)
        rows, columns = self.inner_height // self.multiple, self.inner_width // self.multiple
        cells = adaptive_avg_pool2d(padded, (max(1, rows), max(1, columns)))
        blurred = interpolate(cells, self.padded_size, mode='bilinear')
        blurred[..., top : top + self.inner_height, left : left + self.inner_width] = images
        return blurred

    def _rounded_up(self, size: int) -> int:
        return -(-size // self.multiple) * self.multiple


def enlarged(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Enlarge float32 (B, C, h, w) to a height and width; edges stay sharp."""
    if maps.shape[-2:] == size:
        return maps
    smooth = interpolate(maps, size, mode='bilinear', align_corners=False)
    nearest = interpolate(maps, size, mode='nearest-exact')
    # Between a near and a far surface an average would be a point that hangs in the air.
    return torch.where((smooth - nearest).abs() > EDGE_PX, nearest, smooth)
