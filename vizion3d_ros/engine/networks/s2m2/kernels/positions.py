# SPDX-License-Identifier: Apache-2.0
"""
Relative positions between the tokens of a grid, 16 numbers per axis.

docs/networks/s2m2.md, section 3.5.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

CODES = 16  # per axis
WIDTH = 5 / 32
NEARLY_PI = 3.1415  # not pi: the trained networks know this one


def axis_table(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """
    Codes of every query place against every key place of one axis: (length, length, 16).

    Computed once per size and then shared, so nobody may write to it. In half precision it is
    made in float32 and rounded at the end.
    """
    if torch.compiler.is_compiling():  # a compiler keeps its own constants
        return _make_table(length, dtype, device)
    return _kept_table(length, dtype, device)


def _make_table(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    # A tensor born in inference mode could never take part in a backward pass of a later caller.
    with torch.inference_mode(False), torch.no_grad():
        exact = dtype if dtype == torch.float64 else torch.float32
        rows = _codes(length, exact, device)
        place = torch.arange(length, device=device)
        return rows[place[:, None] - place[None, :] + length - 1].to(dtype)


_kept_table = lru_cache(maxsize=32)(_make_table)


def _codes(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """One unit vector per offset: (2 length + 1, 16); offset 0 is row length - 1."""
    centres = torch.linspace(-1, 1, CODES, device=device).to(dtype)
    offsets = torch.linspace(-3, 3, 2 * length + 1, device=device).to(dtype).tanh()
    distance = (centres - offsets[:, None]) / WIDTH
    angle = NEARLY_PI * distance
    wave = torch.where(distance.abs() < 1e-6, 1.0, angle.sin() / angle)
    return wave / wave.norm(dim=1, keepdim=True).clamp_min(1e-12)
