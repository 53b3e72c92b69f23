# SPDX-License-Identifier: Apache-2.0
"""What a network and a sensor say of the same pixels: the input of the scale fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from vizion3d_ros.contracts.metric_scale import MetricScale, SparseDepth

GRID = 4  # the image is divided into GRID x GRID cells
GLANCE = 64  # pixels per axis from which the range of the whole map is taken

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScaleSamples:
    """
    N points and what surrounds them.

    relative: float64 (N,), the relative map at the points. depth_m: float64 (N,), measured there.
    cells: int (N,), which cell of a GRID x GRID division of the image they lie in.
    map_range: 5th and 95th percentile of the whole map; NaN if that has values that are none.
    """

    relative: Vector
    depth_m: Vector
    cells: NDArray[np.intp]
    map_range: tuple[float, float]

    def errors(self, scale: MetricScale) -> Vector:
        """Relative error of the depth at each point, float64 (N,): measured / predicted - 1."""
        return (scale.scale * self.relative + scale.shift) * self.depth_m - 1


def sample(relative: Tensor | NDArray[np.float32], sparse: SparseDepth) -> ScaleSamples:
    """
    Read a relative map, float32 (H, W) on any device, at points of the image it belongs to.

    Bilinear between pixel centres. One upload of the points, one download of their values.
    """
    answer = torch.as_tensor(relative)
    height, width = answer.shape
    places = np.stack([_unit(sparse.columns, width), _unit(sparse.rows, height)], axis=-1)
    there = torch.as_tensor(places[None, None], dtype=answer.dtype, device=answer.device)
    values = grid_sample(answer[None, None], there, padding_mode='border', align_corners=True)
    glance = answer[:: -(-height // GLANCE), :: -(-width // GLANCE)]
    downloaded = torch.cat([values.flatten(), glance.flatten()]).cpu().numpy().astype(np.float64)
    at_points, overview = np.split(downloaded, [sparse.depth_m.size])
    with np.errstate(invalid='ignore'):  # infinities have no percentiles
        low, high = np.percentile(overview, (5, 95))
    return ScaleSamples(
        relative=at_points,
        depth_m=sparse.depth_m.astype(np.float64),
        cells=_cell(sparse.rows, height) * GRID + _cell(sparse.columns, width),
        map_range=(float(low), float(high)),
    )


def _unit(pixels: NDArray[np.float32], size: int) -> NDArray[np.floating[Any]]:
    """Pixels to -1..1, from the centre of the first pixel to that of the last."""
    return pixels * (2 / max(size - 1, 1)) - 1


def _cell(pixels: NDArray[np.float32], size: int) -> NDArray[np.intp]:
    return np.clip((pixels + 0.5) * (GRID / size), 0, GRID - 1).astype(np.intp)
