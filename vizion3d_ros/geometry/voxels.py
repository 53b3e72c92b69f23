# SPDX-License-Identifier: Apache-2.0
"""One mean point for each cube of a grid, on torch tensors of any device."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vizion3d_ros.contracts.errors import InputError

MOST_CELLS = 2**62  # that a cell can be told by one number


def average_voxels(points: Tensor, size: float) -> Tensor:
    """
    Mean position, colour and uncertainty of each cube of size metres: float32 (M, 4) or (M, 5).

    points: float32 (N, 4) or (N, 5), all valid, as make_cloud packs them; so is the answer. The
    grid starts at the origin of the frame. Raises InputError where the cubes are too many to be
    told apart.
    """
    if not len(points):
        return points
    # Neighbours of a row mostly share a cube: what is sorted is a few runs of them, not N points.
    runs, lengths = torch.unique_consecutive(_cells(points, size), return_counts=True)
    sums = torch.segment_reduce(_channels(points), 'sum', lengths=lengths)
    voxels, owner = torch.unique(runs, return_inverse=True)
    totals = sums.new_zeros(len(voxels), sums.shape[1]).index_add_(0, owner, sums)
    counts = lengths.new_zeros(len(voxels)).index_add_(0, owner, lengths)
    means = totals / counts[:, None]
    return torch.cat([means[:, :3], _packed(means[:, 3:6])[:, None], means[:, 6:]], dim=1)


def _cells(points: Tensor, size: float) -> Tensor:
    """Number of the cube that each point is in, int64 (N,)."""
    places = torch.floor(points[:, :3] / size).to(torch.int64)
    low, high = places.aminmax(dim=0)
    extent = (high - low + 1).tolist()
    if math.prod(extent) > MOST_CELLS:
        raise InputError(
            f'points.voxel_size: {size:g} m is too small for a cloud of '
            f'{max(extent) * size:.0f} m: raise it, or set points.max_range'
        )
    x, y, z = (places - low).unbind(dim=1)
    return (x * extent[1] + y) * extent[2] + z


def _channels(points: Tensor) -> Tensor:
    """x, y, z, red, green, blue and what comes behind: float32 (N, 6 or 7)."""
    bits = points[:, 3].contiguous().view(torch.int32)
    colours = [((bits >> shift) & 0xFF).to(torch.float32) for shift in (16, 8, 0)]
    return torch.cat([points[:, :3], torch.stack(colours, dim=1), points[:, 4:]], dim=1)


def _packed(colours: Tensor) -> Tensor:
    """Colours as points have them, float32 (M,); of float32 (M, 3) in 0..255."""
    red, green, blue = colours.round().to(torch.int32).unbind(dim=1)
    return ((red << 16) | (green << 8) | blue).view(torch.float32)
