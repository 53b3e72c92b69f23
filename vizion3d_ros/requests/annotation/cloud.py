# SPDX-License-Identifier: Apache-2.0
"""The cloud of a request, whatever it comes as, to arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.annotation.cloud import ColoredPoints
from vizion3d_ros.contracts.errors import InputError

WHITE = 255


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """
    A cloud as arrays, in OpenGL axes.

    xyz: float32 (N, 3) metres. rgb: uint8 (N, 3). source: the open3d cloud that it came as.
    """

    xyz: NDArray[np.float32]
    rgb: NDArray[np.uint8]
    source: Any = None

    @property
    def optical(self) -> NDArray[np.float32]:
        """The points with x right, y down, z forward, float32 (N, 3)."""
        return self.xyz * np.array([1, -1, -1], np.float32)


def given_cloud(cloud: Any) -> Given:
    """Read an open3d PointCloud or ColoredPoints; InputError if its arrays do not fit."""
    if isinstance(cloud, ColoredPoints):
        xyz, rgb, source = cloud.xyz, cloud.rgb, None
    else:
        xyz, source = np.asarray(cloud.points), cloud
        colors = np.asarray(cloud.colors)
        rgb = (colors * WHITE).round().clip(0, WHITE).astype(np.uint8) if len(colors) else None
    if rgb is None:
        rgb = np.full(xyz.shape, WHITE, np.uint8)
    if xyz.ndim != 2 or xyz.shape[1] != 3 or rgb.shape != xyz.shape:
        raise InputError(
            f'point_cloud: points have shape {xyz.shape} and colours {rgb.shape}: '
            'both must be (N, 3), rows of an organised cloud joined by reshape(-1, 3)'
        )
    with np.errstate(over='ignore'):
        return Given(np.asarray(xyz, np.float32), rgb, source)
