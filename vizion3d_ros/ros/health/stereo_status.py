# SPDX-License-Identifier: Apache-2.0
"""What state the pairing and the calibration of a stereo rig are in."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vizion3d_ros.contracts.calibration import Severity
from vizion3d_ros.ros.health.diagnostics import ERROR, OK, WARN, Task
from vizion3d_ros.ros.health.status import RECTIFY
from vizion3d_ros.ros.health.watchdog import Endpoint, explain_no_pairs
from vizion3d_ros.ros.stream.camera_info import CameraInfoCache
from vizion3d_ros.ros.stream.sync import InputStats, StereoSync
from vizion3d_ros.ros.stream.topics import InputSubscriptions

SIDES = ('left', 'right')


@dataclass(frozen=True, slots=True)
class StereoStatus:
    """The input parts of the stereo node, and what they say of its state."""

    inputs: InputSubscriptions
    sync: StereoSync
    infos: CameraInfoCache

    def pairing(self, quiet_since: float) -> Task:
        """Whether pairs come; quiet_since is when the last one did, or the inputs opened."""
        values: dict[str, object] = {'slop in force': self.sync.slop}
        for side, stats in (('left', self.sync.left), ('right', self.sync.right)):
            values |= _counts(side, stats)
        if not self.inputs.is_open:
            return OK, 'idle: no subscribers', values
        if self.inputs.faults:
            return ERROR, '; '.join(self.inputs.faults.values()), values
        if time.monotonic() - quiet_since < self.sync.settings.timeout:
            return OK, 'pairing', values
        endpoints = {side: self._endpoint(f'{side}/image_rect') for side in SIDES}
        return WARN, explain_no_pairs(self.sync, endpoints), values

    def calibration(self, rectified: bool) -> Task:
        """Whether the rig is known and usable; rectified: raw images are rectified here."""
        missing = self.infos.missing()
        late = time.monotonic() - self.inputs.opened > self.sync.settings.timeout
        if missing and late and self.sync.left.paired:
            topics = ' and '.join(self.inputs.topic(f'{side}/camera_info') for side in missing)
            return WARN, f'images arrive but no camera_info on {topics}: start or remap it', {}
        known = self.infos.known
        if known is None:
            return OK, 'waiting for camera_info', {}
        faults = known.calibration.faults
        if faults:
            refused = any(fault.severity is Severity.NO_OUTPUT for fault in faults)
            text = '; '.join(fault.text for fault in faults)
            return (ERROR if refused else WARN), text, {}
        raw = [] if rectified else [topic for topic in map(self._raw_topic, SIDES) if topic]
        if raw:
            return WARN, f'{" and ".join(raw)} may be distorted: {RECTIFY}', {}
        rig = known.calibration.rig
        return OK, 'calibrated', {} if rig is None else rig.model_dump()

    def _raw_topic(self, side: str) -> str:
        """Topic of a side whose lens distorts and whose name does not promise rectified images."""
        topic = self.inputs.topic(f'{side}/image_rect')
        return topic if self.infos.distorted(side) and 'rect' not in topic else ''

    def _endpoint(self, name: str) -> Endpoint:
        return Endpoint(self.inputs.topic(name), self.inputs.writers(name))


def _counts(side: str, stats: InputStats) -> dict[str, object]:
    return {
        f'{side} received': stats.received,
        f'{side} paired': stats.paired,
        f'{side} unpaired': stats.received - stats.paired,
    }
