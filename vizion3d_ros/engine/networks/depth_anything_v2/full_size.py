# SPDX-License-Identifier: Apache-2.0
"""
The head's last step, enlarging to the image's size and reading off the answer.

Its maps are by far the largest of the network. On a CPU they are made strip by strip, each of
which fits the cache: about twice as fast as whole maps, and without their memory. See
docs/networks/depth_anything_v2.md, section 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIP_BYTES = 2**22  # what an enlarged strip may take: about the cache of a CPU


def resize(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear, corners on corners: (B, n, h, w) to (B, n, *size)."""
    return F.interpolate(x, size, mode='bilinear', align_corners=True)


def read_off(x: Tensor, size: Sequence[int], layers: nn.Module) -> Tensor:
    """
    Enlarge (B, n, h, w) and run the layers on it: (B, 1, *size).

    The layers look one pixel far and take what is beyond the map for zero. In one go on other
    devices than a CPU, in half precision, where gradients are wanted, and in a compiler's graph.
    """
    if not _is_in_strips(x):
        return layers(resize(x, size))
    height, width = size
    out = x.new_empty(len(x), 1, height, width)
    for first, last in _strips(x, height, width):
        top, bottom = max(0, first - 1), min(height, last + 1)
        strip = resize(_enlarged_rows(x, top, bottom, height), (bottom - top, width))
        out[:, :, first:last] = layers(strip)[:, :, first - top : last - top]
    return out


def _is_in_strips(x: Tensor) -> bool:
    return (
        x.device.type == 'cpu'
        and x.dtype in (torch.float32, torch.float64)
        and not torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
    )


def _strips(x: Tensor, height: int, width: int) -> Iterator[tuple[int, int]]:
    """First and last + 1 row of what is worked on at a time."""
    row_bytes = x[:, :, 0, 0].numel() * width * x.element_size()
    step = max(1, STRIP_BYTES // row_bytes)
    for first in range(0, height, step):
        yield first, min(first + step, height)


def _enlarged_rows(x: Tensor, top: int, bottom: int, height: int) -> Tensor:
    """Rows top to bottom - 1 of x enlarged to height, corners on corners: (B, n, rows, w)."""
    places = torch.arange(top, bottom, dtype=torch.float64) * ((x.shape[2] - 1) / (height - 1))
    above = places.long().clamp_max(x.shape[2] - 2)
    shares = (places - above).to(x.dtype)[:, None, None]
    rows = x.permute(0, 2, 3, 1)  # with channels last: whole rows are copied
    mixed = torch.lerp(rows.index_select(1, above), rows.index_select(1, above + 1), shares)
    return mixed.permute(0, 3, 1, 2)
