# SPDX-License-Identifier: Apache-2.0
"""
Where on the image each token is: a learnt table, stretched to the grid.

docs/networks/depth_anything_v2.md, section 5.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

TRAINED = 37  # rows and columns of the learnt table
STRETCH = 0.1  # the trained networks know a table that is stretched by a tenth of a cell more
MOST_KEPT = 16  # sizes; a CUDA graph reads its table from here, and fewer graphs are kept


def stretch(table: Tensor, grid: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """
    Position codes of the class token and of a grid (rows, columns), row-major.

    table: (1, 1 + 37 * 37, D), the class token first; out: dtype (1, 1 + rows * columns, D).
    Bicubic with a = -0.75, border replicated, computed in float32 at least.
    """
    exact = table.to(torch.promote_types(table.dtype, torch.float32))
    if grid != (TRAINED, TRAINED):
        square = exact[:, 1:].reshape(1, TRAINED, TRAINED, -1).permute(0, 3, 1, 2)
        # The factors, not the size: cell j is read at (j + 1/2) * 37 / (n + 0.1) - 1/2.
        factors = [(count + STRETCH) / TRAINED for count in grid]
        square = F.interpolate(square, scale_factor=factors, mode='bicubic', align_corners=False)
        exact = torch.cat((exact[:, :1], square.flatten(2).transpose(1, 2)), dim=1)
    return exact.to(dtype)


class Stretched:
    """The tables of the sizes in use, so that a camera's is made once."""

    def __init__(self) -> None:
        self._kept: dict[object, Tensor] = {}

    def clear(self) -> None:
        """Forget every table: the learnt one has changed or moved."""
        self._kept.clear()

    def get(self, table: Tensor, grid: tuple[int, int], dtype: torch.dtype) -> Tensor:
        """As stretch, (1, 1 + rows * columns, D); shared, so nobody may write to it."""
        if torch.compiler.is_compiling():  # a compiler keeps its own constants
            return stretch(table, grid, dtype)
        if torch.is_grad_enabled():  # training: the table is about to change
            self.clear()
            return stretch(table, grid, dtype)
        key = grid, table.device, dtype
        known = self._kept.pop(key, None)
        self._kept[key] = stretch(table, grid, dtype) if known is None else known
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]  # the one that was not used for longest
        return self._kept[key]
