# SPDX-License-Identifier: Apache-2.0
"""What makes a relative answer metric: measured depths, the scale they give, how it was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SparseDepth:
    """
    N points that lie inside an image; all arrays float32 (N,).

    columns, rows: where, in pixels, whole numbers at pixel centres. depth_m: metres along the
    optical axis, finite, > 0.
    """

    columns: NDArray[np.float32]
    rows: NDArray[np.float32]
    depth_m: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MetricScale:
    """Makes a relative answer metric: 1 / Z = scale * relative + shift, Z in metres, scale > 0."""

    scale: float
    shift: float


@dataclass(frozen=True, slots=True)
class ScaleFit:
    """
    What the points of one image say.

    scale: None if they are not to be trusted; reason: then why, and what to do. points: how many
    there were; inliers: how many agree within the tolerance; cells: in how many cells of a 4x4
    grid over the image these lie; residual: median of their |e|, NaN without any.
    """

    scale: MetricScale | None
    points: int
    inliers: int
    cells: int
    residual: float
    reason: str


@dataclass(frozen=True, slots=True)
class ScaleUsed:
    """
    What made the relative answer of one image metric, or why nothing did.

    scale: None if there is none; reason: then why, else ''. fit: of this image's points or, if it
    came without, of the last ones before it; None before the first. age: seconds from the last
    good fit to this image, None before the first.
    """

    scale: MetricScale | None
    reason: str
    fit: ScaleFit | None = None
    age: float | None = None
