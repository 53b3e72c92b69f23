# SPDX-License-Identifier: Apache-2.0
"""The published sizes: what networks are built from and checkpoints recognised by. No torch."""

from __future__ import annotations

from dataclasses import dataclass

S2M2_SIZES = {'S': (128, 1), 'M': (192, 2), 'L': (256, 3), 'XL': (384, 3)}
"""Channels and transformer blocks."""


@dataclass(frozen=True)
class DepthAnythingSize:
    """
    What is particular to one size of Depth Anything V2.

    width, blocks, heads: of the encoder. taps: the blocks, from 0, whose output the head reads.
    head_width: channels of the head; tap_widths: what each tapped map is brought to first.
    """

    width: int
    blocks: int
    heads: int
    taps: tuple[int, ...]
    head_width: int
    tap_widths: tuple[int, ...]


DEPTH_ANYTHING_SIZES = {
    'vits': DepthAnythingSize(384, 12, 6, (2, 5, 8, 11), 64, (48, 96, 192, 384)),
    'vitb': DepthAnythingSize(768, 12, 12, (2, 5, 8, 11), 128, (96, 192, 384, 768)),
    'vitl': DepthAnythingSize(1024, 24, 16, (4, 11, 17, 23), 256, (256, 512, 1024, 1024)),
}
"""By the name of the encoder."""
