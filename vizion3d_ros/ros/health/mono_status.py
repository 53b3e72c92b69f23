# SPDX-License-Identifier: Apache-2.0
"""What state the image input, the calibration and the metric scale of the mono node are in."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vizion3d_ros.contracts.calibration import Severity
from vizion3d_ros.contracts.calibration.faults import joined, worst
from vizion3d_ros.contracts.metric_scale import ScaleUsed
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.contracts.topic_names import (
    DEPTH_INFO,
    IMAGE,
    INFO,
    POINTS,
    SPARSE_IMAGE,
    SPARSE_POINTS,
)
from vizion3d_ros.incoming.camera_info import CameraCache
from vizion3d_ros.incoming.input_stats import InputStats
from vizion3d_ros.ros.health.diagnostics import ERROR, OK, WARN, Task
from vizion3d_ros.ros.health.status import RECTIFY
from vizion3d_ros.ros.health.watchdog import (
    explain_ahead,
    explain_missing,
    explain_silence,
    explain_unstamped,
    is_overdue,
)
from vizion3d_ros.ros.stream.inputs import InputSubscriptions
from vizion3d_ros.ros.stream.mono_frames import RELATIVE, MonoProcessor
from vizion3d_ros.ros.stream.sparse_input import SparseInput
from vizion3d_ros.ros.stream.topics import MONO_OUTPUTS

SPARSE = (SPARSE_POINTS, SPARSE_IMAGE)
METRIC = [name for name, output in MONO_OUTPUTS.items() if output.needs]
NEEDS_CAMERA = (POINTS, DEPTH_INFO)


@dataclass(frozen=True, slots=True)
class MonoStatus:
    """The input parts of the mono node, and what they say of its state."""

    inputs: InputSubscriptions
    images: InputStats
    sparse: SparseInput
    camera: CameraCache
    settings: MonoSettings

    def images_in(self, quiet_since: float) -> Task:
        """Whether images come; quiet_since is when the last one did, or the inputs opened."""
        values: dict[str, object] = {
            'received': self.images.received,
            'missing': self.images.missing,
            'rate_hz': round(self.images.rate_hz, 2),
        }
        if not self.inputs.is_open:
            return OK, f'idle: {self.inputs.idle}', values
        if mixed := self.inputs.explain_mixed():
            self.images.unlearn()
            return ERROR, mixed, values
        if time.monotonic() - quiet_since >= self.settings.timeout:
            endpoint = self.inputs.endpoint(IMAGE)
            if not is_overdue(endpoint, self.images, self.settings.timeout, endpoint.found):
                return OK, 'waiting for the first image', values
            text = f'no image: {explain_silence(endpoint, self.images)}'
            return ERROR if endpoint.unheard else WARN, text, values
        seen = self.inputs.topic(IMAGE), self.images
        fault = (
            explain_unstamped(*seen)
            or explain_missing(*seen)
            or explain_ahead(*seen, self.inputs.now_ns())
        )
        return (WARN, fault, values) if fault else (OK, 'receiving', values)

    def calibration(self, wanted: frozenset[str]) -> Task:
        """Whether the camera is known; wanted: the outputs that somebody listens to."""
        known, topic = self.camera.known, self.inputs.topic(INFO)
        rectify = self.settings.rectify
        needed = [name for name in NEEDS_CAMERA if name in wanted]
        cost = 'no output' if rectify else f'no {" and ".join(needed or NEEDS_CAMERA)}'
        if known is None:
            endpoint = self.inputs.endpoint(INFO)
            began = max(self.inputs.opened, self.images.began, endpoint.since)
            late = time.monotonic() - began > self.settings.timeout
            if late and self.images.received and (needed or rectify):
                why = explain_silence(endpoint, InputStats(), 'one')
                level = ERROR if endpoint.unheard else WARN
                text = f'images arrive but no camera_info on {topic}: {why}; until then {cost}'
                return level, text, {}
            return OK, 'waiting for camera_info', {}
        faults = known.faults_for(rectify)
        if faults:
            refused = worst(faults) is not Severity.DOUBT
            text = f'{joined(faults)}; until then {cost}' if refused else joined(faults)
            return (ERROR if refused and rectify else WARN), text, {}
        image_topic = self.inputs.topic(IMAGE)
        if known.content.distorted and not rectify and 'rect' not in image_topic:
            return WARN, f'{image_topic} may be distorted: {RECTIFY}', {}
        return OK, 'calibrated', dict(known.intrinsics or {})

    def scale(self, processor: MonoProcessor, wanted: frozenset[str]) -> Task:
        """Whether the answers are in metres, and how good the fit is that makes them so."""
        if processor.relative is None:
            return OK, 'no image yet', {}
        if not processor.relative:
            return OK, 'metric checkpoint', {}
        values = self._fit_values(processor.scale)
        if not wanted.intersection(METRIC):
            return OK, 'relative: nobody asks for metres', values
        used = processor.scale
        if used.scale is not None:
            return OK, 'metric: sparse depth gives the scale', values
        if not self.sparse.received:
            return WARN, self._silence() or RELATIVE, values
        why = self._unplaced() or processor.sparse.fault or used.reason
        if processor.sparse.doubt:
            why = f'{why}; {processor.sparse.doubt}'
        return WARN, f'no metres, so no depth/* and no points2: {why}', values

    def _silence(self) -> str:
        """Say why no sparse depth has come although somebody publishes it."""
        nothing = InputStats()
        for name in SPARSE:
            endpoint = self.inputs.endpoint(name)
            if endpoint.publishers and is_overdue(endpoint, nothing, self.settings.timeout, True):
                return f'no sparse depth: {explain_silence(endpoint, nothing)}'
        return ''

    def _unplaced(self) -> str:
        """Say why sparse depth that comes has no place in an image."""
        if self.camera.known is None or self.camera.known.intrinsics is None:
            return (
                'sparse depth comes, but without a calibrated camera_info on '
                f'{self.inputs.topic(INFO)} it has no place in the image'
            )
        max_offset = self.settings.sparse_depth.max_offset
        late = self.sparse.unmatched and abs(self.sparse.offset) > max_offset
        return self.sparse.explain(max_offset) if late else ''

    def _fit_values(self, used: ScaleUsed) -> dict[str, object]:
        values: dict[str, object] = {
            'sparse received': self.sparse.received,
            'images with sparse': self.sparse.used,
            'sparse offset': round(self.sparse.offset, 3),
        }
        if used.fit is not None:
            values |= {
                'points': used.fit.points,
                'inliers': used.fit.inliers,
                'cells': used.fit.cells,
                'residual': round(used.fit.residual, 4),
            }
        if used.age is not None:
            values['age'] = round(used.age, 3)
        if used.scale is not None:
            values |= {'scale': used.scale.scale, 'shift': used.scale.shift}
        return values
