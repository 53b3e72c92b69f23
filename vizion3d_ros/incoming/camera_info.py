# SPDX-License-Identifier: Apache-2.0
"""
The newest CameraInfo of each camera, turned into a calibration once per change of content.

CameraInfo is not paired by stamp: it seldom changes, and a late or missing one must not cost
images.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from vizion3d_ros.contracts.calibration import (
    CameraCalibration,
    Severity,
    StereoCalibration,
    calibrate,
)
from vizion3d_ros.contracts.calibration.camera_faults import camera_faults
from vizion3d_ros.contracts.calibration.depth_range import depth_range_faults
from vizion3d_ros.contracts.calibration.faults import Fault, named, of_both, worst
from vizion3d_ros.contracts.calibration.raw_faults import raw_faults
from vizion3d_ros.contracts.calibration.wording import NODE
from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.incoming.images import calibration_of
from vizion3d_ros.incoming.messages import CameraInfo

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KnownCamera:
    """A CameraInfo and what it says: intrinsics, None where faults do not allow any."""

    info: CameraInfo
    content: CameraCalibration
    intrinsics: Intrinsics | None
    faults: tuple[Fault, ...]

    def faults_for(self, rectify: bool) -> list[Fault]:
        """List what is wrong with it; rectify: raw images are rectified by it."""
        raw = raw_faults(self.content, pair=False) if rectify and self.intrinsics else []
        return [*self.faults, *named('camera_info', raw)]


class CameraCache:
    """
    Holds the info of one camera; `known` is None until it has spoken.

    Fed by the executor thread; `known` is replaced as a whole, so any thread may read it.
    """

    def __init__(self) -> None:
        self.known: KnownCamera | None = None

    def add(self, info: CameraInfo) -> None:
        """Take a CameraInfo."""
        content = calibration_of(info).with_k_for_p()
        if self.known is not None and _same(self.known.content, content):
            return
        faults = tuple(named('camera_info', camera_faults(content)))
        usable = worst(faults) is Severity.DOUBT
        intrinsics = content.intrinsics() if usable else None
        self.known = KnownCamera(info, content, intrinsics, faults)
        if intrinsics is not None:
            logger.info(
                'calibrated: %dx%d, fx %.2f px', intrinsics.width, intrinsics.height, intrinsics.fx
            )


@dataclass(frozen=True, slots=True)
class KnownRig:
    """A calibration of two cameras, and what it came from."""

    calibration: StereoCalibration
    left_info: CameraInfo
    right_info: CameraInfo
    left: CameraCalibration
    right: CameraCalibration

    def faults_for(self, settings: StereoSettings) -> list[Fault]:
        """List what is wrong with it for what it is to be used for."""
        faults, rig = [*self.calibration.faults], self.calibration.rig
        if rig is None:
            return faults
        if settings.rectify:
            raw = (raw_faults(side, pair=True) for side in (self.left, self.right))
            faults += of_both(*raw)
        return faults + depth_range_faults(rig, settings, NODE)


class CameraInfoCache:
    """
    Holds the infos of a stereo rig; `known` is None until both sides have spoken.

    Fed by the executor thread; `known` is replaced as a whole, so any thread may read it.
    """

    def __init__(self, baseline_m: float) -> None:
        """Use baseline_m > 0 in place of what the right camera says."""
        self.known: KnownRig | None = None
        self._baseline_m = baseline_m
        self._infos: dict[str, CameraInfo] = {}
        self._contents: dict[str, CameraCalibration] = {}

    def set_baseline(self, baseline_m: float) -> None:
        """Follow the parameter; 0 = from the right camera_info."""
        if baseline_m != self._baseline_m:
            self._baseline_m = baseline_m
            self._update()

    def missing(self) -> list[str]:
        """Sides that have not sent a camera_info yet."""
        return [side for side in ('left', 'right') if side not in self._contents]

    def distorted(self, side: str) -> bool:
        """Whether the camera of a side says that its lens distorts."""
        return side in self._contents and self._contents[side].distorted

    def add_left(self, info: CameraInfo) -> None:
        """Take a left CameraInfo."""
        self._add('left', info)

    def add_right(self, info: CameraInfo) -> None:
        """Take a right CameraInfo."""
        self._add('right', info)

    def _add(self, side: str, info: CameraInfo) -> None:
        content = calibration_of(info)
        if not _same(self._contents.get(side), content):
            self._infos[side], self._contents[side] = info, content
            self._update()

    def _update(self) -> None:
        if self.missing():
            return
        left, right = self._contents['left'], self._contents['right']
        calibration = calibrate(left, right, self._baseline_m)
        self.known = KnownRig(calibration, self._infos['left'], self._infos['right'], left, right)
        self._report(calibration, right)

    def _report(self, calibration: StereoCalibration, right: CameraCalibration) -> None:
        rig = calibration.rig
        if rig is None or rig.baseline_m is None:
            return
        if self._baseline_m > 0:
            told_m = 0.0 - right.p[3] / right.p[0]
            logger.info(
                'baseline is %.6g m (parameter baseline_m); the right camera_info says %.6g m',
                self._baseline_m,
                told_m,
            )
        logger.info(
            'calibrated: %dx%d, fx %.2f px, baseline %.4f m, doffs %.2f px',
            rig.left.width,
            rig.left.height,
            rig.left.fx,
            rig.baseline_m,
            rig.doffs,
        )


def of_rectified(info: CameraInfo) -> dict[str, Any]:
    """
    Fields of a CameraInfo for the rectified pixels that depth has: all that P says, no lens.

    With D and K of the raw image readers would rectify depth once more: depthimage_to_laserscan
    writes beyond its scan then.
    """
    p = calibration_of(info).with_k_for_p().p
    return {
        'distortion_model': 'plumb_bob',
        'd': [0.0] * 5,
        'k': [*p[:3], *p[4:7], *p[8:11]],
        'r': [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        'p': list(p),
    }


def _same(before: CameraCalibration | None, after: CameraCalibration) -> bool:
    """Whether nothing changed; in words, where NaN is the same as NaN."""
    return repr(before) == repr(after)
