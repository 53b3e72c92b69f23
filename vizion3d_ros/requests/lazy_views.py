# SPDX-License-Identifier: Apache-2.0
"""An answer in arrays, seen as nested lists and open3d objects that are made on first reading."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vizion3d_ros.requests.open3d_objects import make_image, make_point_cloud

if TYPE_CHECKING:
    import numpy as np
    import open3d
    from numpy.typing import NDArray

    FloatMap = NDArray[np.float32]


class LazyViews:
    """The views that both results of the vizion3d contract have; each is made once."""

    point_cloud_scale = 1.0

    def __init__(
        self, depth: FloatMap, picture: NDArray[np.uint16] | None, points: FloatMap | None
    ) -> None:
        """depth: float32 (H, W); picture: uint16 (H, W); points: as make_point_cloud takes."""
        self._depth, self._picture, self._points = depth, picture, points

    @cached_property
    def depth_map(self) -> list[list[float]]:
        """The depth of every pixel, [H][W]."""
        rows: list[list[float]] = self._depth.tolist()
        return rows

    @cached_property
    def depth_image(self) -> open3d.geometry.Image | None:
        """16 bit, nearer = brighter; None if not asked for."""
        return None if self._picture is None else make_image(self._picture)

    @cached_property
    def point_cloud(self) -> open3d.geometry.PointCloud | None:
        """Coloured points, x right, y up, z backward; None if not asked for."""
        return None if self._points is None else make_point_cloud(self._points)
