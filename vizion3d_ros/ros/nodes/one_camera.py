# SPDX-License-Identifier: Apache-2.0
"""What a node knows of the one camera whose images or depth it is given."""

from __future__ import annotations

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.incoming.camera_info import CameraCache
from vizion3d_ros.ros.health.diagnostics import NO_HARDWARE


class OneCamera:
    """Mixed into a depth node that keeps a CameraCache as `_camera`."""

    _camera: CameraCache

    @property
    def hardware_id(self) -> str:
        """The frame of the camera."""
        known = self._camera.known
        return known.info.header.frame_id if known else NO_HARDWARE

    @property
    def known_camera(self) -> Intrinsics | None:
        """The camera, once it has told its calibration."""
        known = self._camera.known
        return known.intrinsics if known else None
