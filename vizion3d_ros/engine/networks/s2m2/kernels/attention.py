# SPDX-License-Identifier: Apache-2.0
"""
Attention on heads that are already cut; docs/networks/s2m2.md, sections 3.3 and 3.5.

Shapes: q, k, v and the results are (batch, heads, tokens, e).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vizion3d_ros.engine.networks.s2m2.kernels.positions import axis_table


def encoded_attention(
    q: Tensor, k: Tensor, v: Tensor, grid: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """
    Attention over a grid (height, width) of tokens in row-major order.

    Returns the attended values and the attended position codes (batch, heads, tokens, 32). The
    codes are the sum over keys j of A[i, j] R[i, j], without the tables A and R of tokens²
    entries: R is an x part beside a y part, so only the mass of A in every key column and row is
    needed, and that comes out of the same attention with one-hot values.
    """
    width = q.shape[-1]
    places = _one_hot_places(grid, v)
    pad = places.shape[-1]
    out = F.scaled_dot_product_attention(
        F.pad(q, (0, pad)),
        F.pad(k, (0, pad)),
        torch.cat((v, places.expand(*v.shape[:2], -1, -1)), dim=-1),
        scale=width**-0.5,
    )
    values, columns, rows = out.tensor_split((width, width + grid[1]), dim=-1)
    return values, _position_codes(columns, rows, grid)


def _one_hot_places(grid: tuple[int, int], like: Tensor) -> Tensor:
    """Column, then row of every token, one-hot: (tokens, grid width + grid height)."""
    height, width = grid
    columns = torch.eye(width, dtype=like.dtype, device=like.device)
    rows = torch.eye(height, dtype=like.dtype, device=like.device)
    places = (columns.expand(height, -1, -1), rows[:, None].expand(-1, width, -1))
    return torch.cat(places, dim=-1).flatten(0, 1)


def _position_codes(columns: Tensor, rows: Tensor, grid: tuple[int, int]) -> Tensor:
    """Codes (batch, heads, tokens, 32) from the mass per key column and per key row."""
    heads, (height, width) = columns.shape[:2], grid
    in_x = axis_table(width, columns.dtype, columns.device)
    in_y = axis_table(height, rows.dtype, rows.device)
    x = torch.einsum('bmyxk,xkc->bmyxc', columns.reshape(*heads, *grid, -1), in_x)
    y = torch.einsum('bmyxk,ykc->bmyxc', rows.reshape(*heads, *grid, -1), in_y)
    return torch.cat((x, y), dim=-1).flatten(2, 3) * 0.5
