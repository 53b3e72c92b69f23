# SPDX-License-Identifier: Apache-2.0
"""
Three-tap convolution with half the multiplications, for large maps on a CPU.

Winograd's minimal filtering F(4, 3) (Lavin and Gray, arXiv 1509.09308) along one axis: four
outputs of a three-tap filter need 6 products instead of 12. Filter, input and output are changed
into and out of the values of polynomials at 0, a, -a, b, -b and infinity. The points 3/4 and 3/2
keep the float32 error at about 1.5 times that of a direct convolution; with the customary 1 and
2 it is twice as large.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

A, B = 0.75, 1.5
AA, BB = A * A, B * B
TILE = 4
STRIP_BYTES = 2**23  # what the changed input may take at a time: about the cache of a CPU
FEWEST_PIXELS, FEWEST_CHANNELS = 2500, 64  # below, changing to and fro costs more than it saves
# With AVX-512 a direct convolution is bound by memory already: measured a tenth faster than this.
WIDE_CPU = torch.backends.cpu.get_cpu_capability().startswith('AVX512')


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """
    Convolution that keeps the size: (B, n, h, w) and (m, n, kh, kw) to (B, m, h, w).

    Direct on CPUs with AVX-512 and on other devices, where gradients are wanted, and in a
    compiler's graph.
    """
    if not _is_worthwhile(x, weight):
        padding = (weight.shape[2] // 2, weight.shape[3] // 2)
        return F.conv2d(x, weight, bias, padding=padding)
    axis = 1 if weight.shape[2] == 3 else 2  # of the map with channels last
    filters = _change_weight(weight, axis)
    biases = _change_bias(bias)
    rows = x.permute(0, 2, 3, 1)
    out = rows.new_empty(*rows.shape[:3], weight.shape[0])
    for first, last in _strips(rows, axis):
        parts = _change_input(_with_border(rows, first, last, axis), axis)
        products = [_filter(*args, axis) for args in zip(parts, filters, biases)]
        _write_output(products, out.narrow(axis, first, last - first), axis)
    return out.permute(0, 3, 1, 2)


def _is_worthwhile(x: Tensor, weight: Tensor) -> bool:
    axis = -2 if weight.shape[2] == 3 else -1
    return (
        x.device.type == 'cpu'
        and not WIDE_CPU
        and x.dtype in (torch.float32, torch.float64)
        and not torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and 3 in weight.shape[2:]
        and x.shape[axis] % TILE == 0
        and x.shape[-2] * x.shape[-1] >= FEWEST_PIXELS  # of one image: batches change nothing
        and min(weight.shape[:2]) >= FEWEST_CHANNELS
    )


def _strips(rows: Tensor, axis: int) -> Iterator[tuple[int, int]]:
    """First and last + 1 place along the axis of what is worked on at a time."""
    size = rows.shape[axis]
    changed = 6 / TILE * rows.numel() * rows.element_size()
    step = TILE * max(1, round(size / TILE * min(1, STRIP_BYTES / changed)))
    for first in range(0, size, step):
        yield first, min(first + step, size)


def _with_border(rows: Tensor, first: int, last: int, axis: int) -> Tensor:
    """Places first - 1 to last along the axis; zeros beyond the map."""
    before, after = int(first == 0), int(last == rows.shape[axis])
    inner = rows.narrow(axis, first - 1 + before, last - first + 2 - before - after)
    if not before and not after:
        return inner
    return F.pad(inner, [0, 0] * (3 - axis) + [before, after])


def _change_input(strip: Tensor, axis: int) -> list[Tensor]:
    """Six maps with a quarter of the strip's places along the axis."""
    tiles = (strip.shape[axis] - 2) // TILE
    places = [slice(k, k + TILE * (tiles - 1) + 1, TILE) for k in range(6)]
    d = [strip[(slice(None),) * axis + (place,)] for place in places]
    even_a, odd_a = torch.sub(d[4], d[2], alpha=BB), torch.sub(d[3], d[1], alpha=BB)
    even_b, odd_b = torch.sub(d[4], d[2], alpha=AA), torch.sub(d[3], d[1], alpha=AA)
    return [
        torch.add(d[4], d[0], alpha=AA * BB).sub_(d[2], alpha=AA + BB),
        torch.add(even_a, odd_a, alpha=A),
        even_a.sub_(odd_a, alpha=A),
        torch.add(even_b, odd_b, alpha=B),
        even_b.sub_(odd_b, alpha=B),
        torch.add(d[5], d[1], alpha=AA * BB).sub_(d[3], alpha=AA + BB),
    ]


def _change_weight(weight: Tensor, axis: int) -> Tensor:
    """Six filters with one tap along the axis: (6, m, n, 1, kw) or (6, m, n, kh, 1)."""
    a, b = 2 * AA * (AA - BB), 2 * BB * (BB - AA)
    change = [
        [1 / (AA * BB), 0, 0],
        [1 / a, A / a, AA / a],
        [1 / a, -A / a, AA / a],
        [1 / b, B / b, BB / b],
        [1 / b, -B / b, BB / b],
        [0, 0, 1],
    ]
    taps = weight.movedim(axis + 1, 0).permute(0, 1, 3, 2)
    filters = torch.tensordot(weight.new_tensor(change), taps, 1)
    return filters.permute(0, 1, 3, 2).unsqueeze(axis + 2)


def _change_bias(bias: Tensor | None) -> list[Tensor | None]:
    """A bias for each of the six products, so that every output gets the whole."""
    if bias is None:
        return [None] * 6
    ones = (1 - 1 / AA, (1 / AA + 1 / A) / 2, (1 / AA - 1 / A) / 2, 0, 0, 1 - AA)
    return [bias * one if one else None for one in ones]


def _filter(part: Tensor, weight: Tensor, bias: Tensor | None, axis: int) -> Tensor:
    """One product, along the other axis: (B, h', w', n) to (B, h', w', m)."""
    padding = (weight.shape[2] // 2, weight.shape[3] // 2)
    return F.conv2d(part.permute(0, 3, 1, 2), weight, bias, padding=padding).permute(0, 2, 3, 1)


def _write_output(products: list[Tensor], out: Tensor, axis: int) -> None:
    """The four outputs of every tile, interleaved along the axis."""
    y = [out[(slice(None),) * axis + (slice(k, None, TILE),)] for k in range(TILE)]
    m0, m1, m2, m3, m4, m5 = products
    sum_a, sum_b = m1 + m2, m3 + m4
    gap_a, gap_b = m1.sub_(m2), m3.sub_(m4)
    torch.add(m0.add_(sum_a), sum_b, out=y[0])
    torch.add(m5.add_(gap_a, alpha=A**3), gap_b, alpha=B**3, out=y[3])
    torch.add(gap_a.mul_(A), gap_b, alpha=B, out=y[1])
    torch.add(sum_a.mul_(AA), sum_b, alpha=BB, out=y[2])
