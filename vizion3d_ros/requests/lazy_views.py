# SPDX-License-Identifier: Apache-2.0
"""An answer in arrays, seen as nested lists and open3d objects that are made on first reading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from vizion3d_ros.requests.open3d_objects import make_image, make_point_cloud

if TYPE_CHECKING:
    import numpy as np
    import open3d
    from numpy.typing import NDArray


@dataclass(eq=False, repr=False, kw_only=True)
class LazyViews:
    """
    What both results of the vizion3d contract have; each view is made once.

    depth: float32 (H, W). raw_depth: the same, picture: uint16 (H, W), 65535 = nearest, 0 =
    farthest or invalid, points: float32 (N, 4), optical frame, columns x, y, z and rgb, whose bits
    are 0x00RRGGBB; each of these three None if not asked for. message (our addition): what was
    assumed, or why next to nothing was found; '' if there is nothing to say.
    """

    point_cloud_scale: ClassVar[float] = 1.0

    depth: NDArray[np.float32]
    min_depth: float
    max_depth: float
    backend_used: str
    raw_depth: NDArray[np.float32] | None = None
    picture: NDArray[np.uint16] | None = None
    points: NDArray[np.float32] | None = None
    message: str = ''

    @cached_property
    def depth_map(self) -> list[list[float]]:
        """The depth of every pixel, [H][W]."""
        rows: list[list[float]] = self.depth.tolist()
        return rows

    @cached_property
    def depth_image(self) -> open3d.geometry.Image | None:
        """16 bit, nearer = brighter; None if not asked for."""
        return None if self.picture is None else make_image(self.picture)

    @cached_property
    def point_cloud(self) -> open3d.geometry.PointCloud | None:
        """Coloured points, x right, y up, z backward; None if not asked for."""
        return None if self.points is None else make_point_cloud(self.points)
