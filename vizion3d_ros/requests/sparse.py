# SPDX-License-Identifier: Apache-2.0
"""Measured depths of a request, which make the answer of a relative checkpoint metric."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vizion3d_ros.contracts.commands import MetricScale
from vizion3d_ros.contracts.settings.mono_settings import SparseDepthSettings
from vizion3d_ros.geometry.metric_scale.fit import ScaleFit, fit_scale
from vizion3d_ros.geometry.metric_scale.samples import sample
from vizion3d_ros.geometry.metric_scale.sparse_depth import SparseDepth


class SparseScale:
    """Fits the scale of one relative answer, as MonoCommand.scale_of; keeps what it found."""

    def __init__(self, sparse: SparseDepth, settings: SparseDepthSettings) -> None:
        self.fit: ScaleFit | None = None
        self._sparse = sparse
        self._settings = settings

    def __call__(self, relative: Tensor) -> MetricScale | None:
        """Fit to a relative map, float32 (H, W)."""
        self.fit = fit_scale(sample(relative, self._sparse), self._settings)
        return self.fit.scale


def sparse_depth(points: NDArray[np.floating[Any]], width: int, height: int) -> SparseDepth:
    """
    Keep the points that lie in the image and have a depth.

    points: (N, 3), columns u, v in pixels, whole numbers at pixel centres, and metres along the
    optical axis.
    """
    columns, rows, depth_m = points.astype(np.float32).T
    inside = (columns >= -0.5) & (columns < width - 0.5) & (rows >= -0.5) & (rows < height - 0.5)
    kept = inside & (depth_m > 0) & (depth_m < np.inf)
    return SparseDepth(columns[kept], rows[kept], depth_m[kept])
