# SPDX-License-Identifier: Apache-2.0
"""What state the stereo node is in, as one level and one sentence per task."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vizion3d_ros.contracts.calibration import Severity
from vizion3d_ros.ros.camera_info import CameraInfoCache
from vizion3d_ros.ros.diagnostics import ERROR, OK, WARN, Diagnostics
from vizion3d_ros.ros.processor import StereoFrame, StereoProcessor
from vizion3d_ros.ros.sync import InputStats, StereoSync
from vizion3d_ros.ros.topics import InputSubscriptions, OutputPublishers
from vizion3d_ros.ros.watchdog import Endpoint, explain_no_pairs
from vizion3d_ros.worker import Worker

SIDES = ('left', 'right')
STALE_SECONDS = 5.0
RECTIFY = 'camera_info has a lens distortion and the name does not say rect; run image_proc'
Task = tuple[bytes, str, dict[str, object]]


@dataclass(frozen=True, slots=True)
class StereoStatus:
    """The parts of a configured node, and what they say of its state."""

    inputs: InputSubscriptions
    sync: StereoSync
    infos: CameraInfoCache
    outputs: OutputPublishers
    processor: StereoProcessor
    worker: Worker[StereoFrame]
    diagnostics: Diagnostics

    def tasks(self, quiet_since: float) -> dict[str, Task]:
        """All tasks; quiet_since is when the last pair came, or the inputs opened."""
        return {
            'sync': self._sync(quiet_since),
            'calibration': self._calibration(),
            'output': self._output(),
        }

    def _sync(self, quiet_since: float) -> Task:
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

    def _calibration(self) -> Task:
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
        raw = [topic for topic in map(self._image_topic, SIDES) if topic]
        if raw:
            return WARN, f'{" and ".join(raw)} may be distorted: {RECTIFY}', {}
        rig = known.calibration.rig
        return OK, 'calibrated', {} if rig is None else rig.model_dump()

    def _output(self) -> Task:
        processor = self.processor
        values: dict[str, object] = {
            'processed': processor.processed,
            'failed': processor.failed,
            'skipped': self.worker.skipped,
            'rate_hz': round(processor.rate_hz, 2),
            'backend_used': processor.backend_used,
            **{f'{stage}_ms': round(ms, 2) for stage, ms in processor.timings_ms.items()},
            **{f'published {name}': count for name, count in self.outputs.published.items()},
        }
        if processor.last_error:
            return ERROR, f'frame lost: {processor.last_error}', values
        if self.inputs.is_open and not self._fresh():
            return WARN, f'{processor.processed} frames, the last one too long ago', values
        return OK, f'{processor.processed} frames', values

    def _fresh(self) -> bool:
        """Whether a frame was finished lately, or the inputs have just been opened."""
        newest = max(self.processor.finished, self.inputs.opened)
        return time.monotonic() - newest < max(self.sync.settings.timeout, STALE_SECONDS)

    def _image_topic(self, side: str) -> str:
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
