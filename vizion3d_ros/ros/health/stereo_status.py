# SPDX-License-Identifier: Apache-2.0
"""What state the pairing and the calibration of a stereo rig are in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from vizion3d_ros.contracts.calibration import Severity
from vizion3d_ros.contracts.calibration.faults import joined, worst
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.contracts.topic_names import LEFT, RIGHT
from vizion3d_ros.incoming.camera_info import CameraInfoCache
from vizion3d_ros.incoming.input_stats import RECENT_SECONDS, InputStats
from vizion3d_ros.incoming.sync import StereoSync
from vizion3d_ros.ros.health.diagnostics import ERROR, OK, WARN, Task
from vizion3d_ros.ros.health.status import RECTIFY
from vizion3d_ros.ros.health.sync_doctor import (
    explain_few_pairs,
    explain_no_pairs,
    measure_offsets,
)
from vizion3d_ros.ros.health.watchdog import (
    explain_ahead,
    explain_missing,
    explain_silence,
    explain_unstamped,
)
from vizion3d_ros.ros.stream.inputs import InputSubscriptions

SIDES = ('left', 'right')


@dataclass(frozen=True, slots=True)
class StereoStatus:
    """The input parts of the stereo node, and what they say of its state."""

    inputs: InputSubscriptions
    sync: StereoSync
    infos: CameraInfoCache

    def pairing(self, quiet_since: float) -> Task:
        """Whether pairs come; quiet_since is when the last one did, or the inputs opened."""
        values = self._values()
        if not self.inputs.is_open:
            return OK, f'idle: {self.inputs.idle}', values
        if mixed := self.inputs.explain_mixed():
            self.sync.unlearn()
            return ERROR, mixed, values
        if time.monotonic() - quiet_since >= self.sync.settings.timeout:
            return *self._no_pairs(), values
        loss = self._lost(explain_unstamped)
        if not loss and self._open_for(RECENT_SECONDS):
            loss = self._lost(explain_missing) or explain_few_pairs(self.sync)
        loss = loss or explain_ahead(self.inputs.topic(LEFT), self.sync.left, self.inputs.now_ns())
        return (WARN, loss, values) if loss else (OK, 'pairing', values)

    def calibration(self, settings: StereoSettings) -> Task:
        """Whether the rig is known and usable for what these settings ask."""
        missing = self.infos.missing()
        if missing and self.sync.left.paired and self._are_late(missing):
            return self._no_infos(missing)
        known = self.infos.known
        if known is None:
            return OK, 'waiting for camera_info', {}
        faults = known.faults_for(settings)
        if faults:
            refused = worst(faults) is Severity.NO_OUTPUT
            return (ERROR if refused else WARN), joined(faults), {}
        raw = [] if settings.rectify else [topic for topic in map(self._raw_topic, SIDES) if topic]
        if raw:
            return WARN, f'{" and ".join(raw)} may be distorted: {RECTIFY}', {}
        rig = known.calibration.rig
        return OK, 'calibrated', {} if rig is None else rig.model_dump()

    def _raw_topic(self, side: str) -> str:
        """Topic of a side whose lens distorts and whose name does not promise rectified images."""
        topic = self.inputs.topic(f'{side}/image_rect')
        return topic if self.infos.distorted(side) and 'rect' not in topic else ''

    def _no_infos(self, missing: list[str]) -> Task:
        endpoints = [self.inputs.endpoint(f'{side}/camera_info') for side in missing]
        topics = ' and '.join(endpoint.topic for endpoint in endpoints)
        reasons = (explain_silence(endpoint, InputStats(), 'one') for endpoint in endpoints)
        level = ERROR if any(endpoint.unheard for endpoint in endpoints) else WARN
        return level, f'images arrive but no camera_info on {topics}: {"; ".join(reasons)}', {}

    def _no_pairs(self) -> tuple[bytes, str]:
        endpoints = {side: self.inputs.endpoint(f'{side}/image_rect') for side in SIDES}
        text = explain_no_pairs(self.sync, endpoints)
        if not text:
            return OK, 'waiting for the first pair'
        return ERROR if any(endpoint.unheard for endpoint in endpoints.values()) else WARN, text

    def _are_late(self, missing: list[str]) -> bool:
        """Whether images come and calibrations could have come for longer than the timeout."""
        since = [self.inputs.endpoint(f'{side}/camera_info').since for side in missing]
        began = max(self.inputs.opened, self.sync.left.began, *since)
        return time.monotonic() - began > self.sync.settings.timeout

    def _open_for(self, seconds: float) -> bool:
        return time.monotonic() - self.inputs.opened > seconds

    def _lost(self, explain: Callable[[str, InputStats], str]) -> str:
        """Say of both sides what is to be said of one, '' if there is nothing."""
        sides = (
            (self.inputs.topic(LEFT), self.sync.left),
            (self.inputs.topic(RIGHT), self.sync.right),
        )
        return '; '.join(filter(None, (explain(*side) for side in sides)))

    def _values(self) -> dict[str, object]:
        values: dict[str, object] = {'slop in force': self.sync.slop}
        for side, stats in (('left', self.sync.left), ('right', self.sync.right)):
            values |= _counts(side, stats)
        offsets = measure_offsets(self.sync.left, self.sync.right)
        if offsets:
            values['right stamp offset'] = round(offsets.median, 4)
            values['right stamp jitter'] = round(offsets.jitter, 4)
        return values


def _counts(side: str, stats: InputStats) -> dict[str, object]:
    return {
        f'{side} received': stats.received,
        f'{side} rate_hz': round(stats.rate_hz, 2),
        f'{side} paired': stats.paired,
        f'{side} unpaired': stats.received - stats.paired,
        f'{side} late': stats.late,
        f'{side} missing': stats.missing,
    }
