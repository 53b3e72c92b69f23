# SPDX-License-Identifier: Apache-2.0
"""What the recorder keeps of how a relative answer got its metres: sparse depth and the fit."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import CameraInfo, PointCloud2

from vizion3d_ros.geometry.metric_scale.sparse_depth import project
from vizion3d_ros.incoming.images import calibration_of
from vizion3d_ros.incoming.sync import stamp_to_ns
from vizion3d_ros.ros.messages.measurements import points_of

if TYPE_CHECKING:
    from vizion3d_ros.contracts.metric_scale import SparseDepth

NEWEST = 10
FIGURES = ('points', 'inliers', 'cells', 'residual')


class ScaleRecord:
    """Keeps the newest clouds of sparse depth, and the newest fit that the mono node reports."""

    def __init__(self, transform: Sequence[float]) -> None:
        """Take the pose of the clouds in the optical frame, as sparse_depth.transform has it."""
        self.fit: dict[str, float] | None = None
        self._transform = transform
        self._clouds: deque[PointCloud2] = deque(maxlen=NEWEST)

    def add_cloud(self, cloud: PointCloud2) -> None:
        """Take sparse depth."""
        self._clouds.append(cloud)

    def add_diagnostics(self, message: DiagnosticArray) -> None:
        """Take the fit, if the mono node is the one that reports and has one."""
        for status in message.status:
            if status.name.endswith(': scale'):
                self.fit = _figures(status) or self.fit

    def sparse_near(self, stamp_ns: int, info: CameraInfo | None) -> SparseDepth | None:
        """
        Project the cloud nearest in time to a stamp into the image that info belongs to.

        None without a cloud or a usable calibration. Raises InputError for a cloud that holds no
        points, and for a transform that is no pose.
        """
        if not self._clouds or info is None or calibration_of(info).defect():
            return None
        nearest = min(self._clouds, key=lambda cloud: abs(stamp_to_ns(cloud) - stamp_ns))
        camera = calibration_of(info).intrinsics()
        return project(points_of(nearest), self._transform, camera)


def _figures(status: DiagnosticStatus) -> dict[str, float]:
    texts = {item.key: item.value for item in status.values if item.key in FIGURES}
    figures = {name: float(text) for name, text in texts.items()}
    usable = len(figures) == len(FIGURES) and all(map(math.isfinite, figures.values()))
    return figures if usable else {}
