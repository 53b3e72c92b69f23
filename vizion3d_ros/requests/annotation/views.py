# SPDX-License-Identifier: Apache-2.0
"""What an annotation request gets: arrays, and lists and open3d objects made on first reading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from vizion3d_ros.requests.open3d_objects import cloud_of

if TYPE_CHECKING:
    import open3d
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.annotation.instances import Box

# For the objects in the order of the answer, again from the first after the last: RGB.
COLOURS = np.array(
    [
        *((230, 25, 75), (60, 180, 75), (255, 225, 25), (0, 130, 200)),
        *((245, 130, 48), (145, 30, 180), (70, 240, 240), (240, 50, 230)),
        *((210, 245, 60), (250, 190, 212), (0, 128, 128), (170, 110, 40)),
    ],
    np.uint8,
)


@dataclass(eq=False, repr=False, kw_only=True)
class MaskAnnotation3D:
    """
    One object and its points.

    label, class_id, confidence: as the segmenter has them. bbox_2d: x1, y1, x2, y2 in pixels.
    mask_2d: bool (H, W). indices (our addition): int64 (n,), of its points in the cloud, rising.
    coords (our addition): float32 (n, 3), metres, x right, y up, z backward. rgb: uint8 (n, 3).
    """

    label: str
    class_id: int
    confidence: float
    bbox_2d: Box
    mask_2d: NDArray[np.bool_]
    indices: NDArray[np.int64]
    coords: NDArray[np.float32]
    rgb: NDArray[np.uint8] | None = None
    source: Any = None

    @cached_property
    def point_indices(self) -> list[int]:
        """Which points of the cloud are the object's, rising."""
        numbers: list[int] = self.indices.tolist()
        return numbers

    @cached_property
    def point_coords(self) -> list[list[float]]:
        """The points, metres: [[x, y, z], ...]."""
        rows: list[list[float]] = self.coords.tolist()
        return rows

    @cached_property
    def object_cloud(self) -> open3d.geometry.PointCloud | None:
        """The points in their own colours; None without points, or if not asked for."""
        if self.rgb is None or not len(self.indices):
            return None
        if self.source is not None:
            return self.source.select_by_index(self.indices)
        return cloud_of(self.coords, self.rgb)

    def __repr__(self) -> str:
        return (
            f'MaskAnnotation3D({self.label!r}, {self.confidence:.2f}, {len(self.indices)} points)'
        )


@dataclass(eq=False, repr=False, kw_only=True)
class ObjectMaskAnnotation3DResult:
    """
    What an annotation request gets.

    annotations: by falling confidence; objects without points are there too. backend_used: path
    of the checkpoint, or 'masks'. labels (our addition): int32 (N,), for each point of the cloud
    0 = no object, k = annotations[k - 1]. xyz (our addition): float32 (N, 3), the cloud. rgb (our
    addition): uint8 (N, 3), its colours, those of objects replaced; None if return_annotated_cloud
    is False.
    """

    annotations: list[MaskAnnotation3D]
    backend_used: str
    labels: NDArray[np.int32]
    xyz: NDArray[np.float32]
    rgb: NDArray[np.uint8] | None = None
    source: Any = None

    @cached_property
    def annotated_cloud(self) -> open3d.geometry.PointCloud | None:
        """The cloud with one colour per object; None if not asked for."""
        if self.rgb is None:
            return None
        return cloud_of(self.xyz, self.rgb, self.source)

    def __repr__(self) -> str:
        return (
            f'ObjectMaskAnnotation3DResult({len(self.annotations)} objects, '
            f'{np.count_nonzero(self.labels)} of {len(self.labels)} points, '
            f'{self.backend_used!r})'
        )


def painted(rgb: NDArray[np.uint8], labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Give the colours of all points, those of objects replaced: uint8 (N, 3)."""
    colours = rgb.copy()
    own = labels > 0
    colours[own] = COLOURS[(labels[own] - 1) % len(COLOURS)]
    return colours
