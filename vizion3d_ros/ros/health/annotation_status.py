# SPDX-License-Identifier: Apache-2.0
"""What state the inputs of the annotation node are in."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vizion3d_ros.contracts.calibration import Severity
from vizion3d_ros.contracts.calibration.faults import joined, worst
from vizion3d_ros.contracts.topic_names import DEPTH_INFO, DETECTIONS, INSTANCES
from vizion3d_ros.incoming.camera_info import CameraCache
from vizion3d_ros.incoming.input_stats import RECENT_SECONDS, InputStats
from vizion3d_ros.incoming.sync import StereoSync
from vizion3d_ros.ros.health.diagnostics import ERROR, OK, WARN, Task
from vizion3d_ros.ros.health.sync_doctor import explain_few_pairs, explain_no_pairs
from vizion3d_ros.ros.health.watchdog import explain_missing, explain_silence, explain_unstamped
from vizion3d_ros.ros.stream.annotation_frames import AnnotationProcessor
from vizion3d_ros.ros.stream.inputs import InputSubscriptions


@dataclass(frozen=True, slots=True)
class AnnotationStatus:
    """The input parts of the annotation node; cloud, picture: the names of its two topics."""

    inputs: InputSubscriptions
    sync: StereoSync
    camera: CameraCache
    cloud: str
    picture: str

    def pairing(self, quiet_since: float) -> Task:
        """Whether pairs come; quiet_since is when the last one did, or the inputs opened."""
        words, sides = self.sync.words, (self.sync.left, self.sync.right)
        names = (words.left, words.right)
        values: dict[str, object] = {'slop in force': self.sync.slop}
        for name, stats in zip(names, sides):
            values |= {f'{name} received': stats.received, f'{name} paired': stats.paired}
        if not self.inputs.is_open:
            return OK, f'idle: {self.inputs.idle}', values
        if mixed := self.inputs.explain_mixed():
            self.sync.unlearn()
            return ERROR, mixed, values
        topics = (self.cloud, self.picture)
        if time.monotonic() - quiet_since >= self.sync.settings.timeout:
            endpoints = dict(zip(names, map(self.inputs.endpoint, topics)))
            text = explain_no_pairs(self.sync, endpoints)
            unheard = any(endpoint.unheard for endpoint in endpoints.values())
            level = (ERROR if unheard else WARN) if text else OK
            return level, text or 'waiting for the first pair', values
        seen = [(self.inputs.topic(topic), stats) for topic, stats in zip(topics, sides)]
        # Gaps in what others compute are frames that they skipped, and nothing that was lost.
        of_cameras = [] if self.picture == INSTANCES else seen[1:]
        told = [explain_unstamped(*each) for each in seen]
        told += [explain_missing(*each) for each in of_cameras]
        lost = '; '.join(filter(None, told))
        if not lost and time.monotonic() - self.inputs.opened > RECENT_SECONDS:
            lost = explain_few_pairs(self.sync)
        return (WARN, lost, values) if lost else (OK, 'pairing', values)

    def calibration(self) -> Task:
        """Whether the camera is known."""
        known = self.camera.known
        if known is None:
            since = max(self.inputs.opened, self.sync.left.began)
            if self.sync.left.paired and time.monotonic() - since > self.sync.settings.timeout:
                endpoint = self.inputs.endpoint(DEPTH_INFO)
                why = explain_silence(endpoint, InputStats(), 'one')
                level = ERROR if endpoint.unheard else WARN
                return level, f'no camera_info on {endpoint.topic}, so no output: {why}', {}
            return OK, 'waiting for camera_info', {}
        faults = known.faults_for(rectify=False)
        if faults:
            refused = worst(faults) is not Severity.DOUBT
            return (ERROR if refused else WARN), joined(faults), {}
        return OK, 'calibrated', dict(known.intrinsics or {})

    def masks(self, processor: AnnotationProcessor) -> Task:
        """Whether masks and detections belong together."""
        values = {'objects': processor.found, 'detections': self.inputs.topic(DETECTIONS)}
        if not self.inputs.is_open:
            return OK, f'{processor.found} objects', values
        if self.picture == INSTANCES:
            endpoint = self.inputs.endpoint(DETECTIONS)
            if endpoint.unheard:  # they are optional, but who sends them wants them
                return ERROR, explain_silence(endpoint, InputStats(), 'one'), values
        text = processor.doubt
        return (WARN, text, values) if text else (OK, f'{processor.found} objects', values)
