# SPDX-License-Identifier: Apache-2.0
"""Sparse depth drawn into the image it belongs to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vizion3d_ros.report.montage import DISAGREES, Panel, Scale, photo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.metric_scale import SparseDepth
    from vizion3d_ros.report.montage import FloatMap

DIMMED = 0.8
SPOTS_PER_WIDTH = 240
TOLERANCE = 0.1  # as sparse_depth.tolerance has it, for points beside a pixel's true depth


def spots(
    title: str,
    image: NDArray[np.uint8],
    sparse: SparseDepth,
    depth_m: FloatMap | None,
    scale: Scale,
) -> Panel:
    """
    Show an image, uint8 (H, W) or (H, W, 3) RGB, in grey below its points in colours of a scale.

    depth_m: float (H, W) metres; points that differ from it by more than TOLERANCE are marked
    as such. None = nothing to compare with.
    """
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    panel = photo(title, cv2.convertScaleAbs(grey, alpha=DIMMED))
    picture = panel.picture
    colors = scale.color(scale.level(sparse.depth_m[None]))[0]
    wrong = disagreeing(sparse, depth_m)
    colors[wrong] = DISAGREES
    radius = max(1, round(picture.shape[1] / SPOTS_PER_WIDTH))
    for index in np.argsort(wrong, kind='stable'):  # the wrong ones last, above all others
        centre = round(float(sparse.columns[index])), round(float(sparse.rows[index]))
        cv2.circle(picture, centre, radius, colors[index].tolist(), -1, cv2.LINE_AA)
    marks = (DISAGREES,) if wrong.any() else ()
    return replace(panel, scale=scale, marks=marks)


def disagreeing(sparse: SparseDepth, depth_m: FloatMap | None) -> NDArray[np.bool_]:
    """Tell which of N points differ from the depth of their pixel, bool (N,)."""
    if depth_m is None:
        return np.zeros(sparse.depth_m.shape, bool)
    there = depth_m[np.rint(sparse.rows).astype(int), np.rint(sparse.columns).astype(int)]
    return np.asarray(np.abs(sparse.depth_m / there - 1) > TOLERANCE)
