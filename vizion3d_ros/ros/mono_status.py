# SPDX-License-Identifier: Apache-2.0
"""What state the image input, the calibration and the metric scale of the mono node are in."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from vizion3d_ros.contracts.mono_settings import MonoSettings
from vizion3d_ros.ros.camera_info import CameraCache
from vizion3d_ros.ros.diagnostics import ERROR, OK, WARN
from vizion3d_ros.ros.mono_frames import HOW_TO_GET_METRES, MonoProcessor
from vizion3d_ros.ros.status import RECTIFY, Task
from vizion3d_ros.ros.sync import InputStats
from vizion3d_ros.ros.topics import InputSubscriptions
from vizion3d_ros.ros.watchdog import Endpoint, explain_silence

IMAGE, INFO = 'image_rect', 'camera_info'
METRIC = ('depth/image', 'depth/camera_info', 'depth/image_color', 'points2')
NEEDS_CAMERA = ('points2', 'depth/camera_info')


@dataclass(slots=True)
class SparseStats:
    """What came as sparse depth: how much, and how much of it fitted an image in time."""

    received: int = 0
    used: int = 0
    offset: float = field(default=float('nan'))  # seconds, image - sparse depth, the newest one


@dataclass(frozen=True, slots=True)
class MonoStatus:
    """The input parts of the mono node, and what they say of its state."""

    inputs: InputSubscriptions
    images: InputStats
    sparse: SparseStats
    camera: CameraCache
    settings: MonoSettings

    def images_in(self, quiet_since: float) -> Task:
        """Whether images come; quiet_since is when the last one did, or the inputs opened."""
        values: dict[str, object] = {'received': self.images.received}
        if self.images.period_ns:
            values['rate_hz'] = round(1e9 / self.images.period_ns, 2)
        if not self.inputs.is_open:
            return OK, 'idle: no subscribers', values
        if self.inputs.faults:
            return ERROR, '; '.join(self.inputs.faults.values()), values
        if time.monotonic() - quiet_since < self.settings.timeout:
            return OK, 'receiving', values
        endpoint = Endpoint(self.inputs.topic(IMAGE), self.inputs.writers(IMAGE))
        return WARN, f'no image: {explain_silence(endpoint, self.images)}', values

    def calibration(self, wanted: frozenset[str]) -> Task:
        """Whether the camera is known; wanted: the outputs that somebody listens to."""
        known, topic = self.camera.known, self.inputs.topic(INFO)
        needed = [name for name in NEEDS_CAMERA if name in wanted]
        cost = 'no output' if self.settings.rectify else f'no {" and ".join(needed)}'
        if known is None:
            late = time.monotonic() - self.inputs.opened > self.settings.timeout
            if late and self.images.received and (needed or self.settings.rectify):
                text = f'images arrive but no camera_info on {topic}: start or remap it'
                return WARN, f'{text}; until then {cost}', {}
            return OK, 'waiting for camera_info', {}
        if known.intrinsics is None:
            return WARN, f'camera_info {known.defect}: calibrate the camera; until then {cost}', {}
        image_topic = self.inputs.topic(IMAGE)
        if known.content.distorted and not self.settings.rectify and 'rect' not in image_topic:
            return WARN, f'{image_topic} may be distorted: {RECTIFY}', {}
        return OK, 'calibrated', dict(known.intrinsics)

    def scale(self, processor: MonoProcessor, wanted: frozenset[str]) -> Task:
        """Whether the answers are in metres, and how good the fit is that makes them so."""
        if processor.relative is None:
            return OK, 'no image yet', {}
        if not processor.relative:
            return OK, 'metric checkpoint', {}
        values = self._fit_values(processor)
        if not wanted.intersection(METRIC):
            return OK, 'relative: nobody asks for metres', values
        tracker = processor.tracker
        if not tracker.reason:
            return OK, 'metric: sparse depth gives the scale', values
        why = processor.sparse_fault or self._late_sparse() or tracker.reason
        return WARN, f'no metres, so no depth/* and no points2: {why}', values

    def _late_sparse(self) -> str:
        if not self.sparse.received:
            return f'the checkpoint is a relative one; {HOW_TO_GET_METRES}'
        if self.camera.known is None or self.camera.known.intrinsics is None:
            return 'sparse depth comes, but without a calibration it has no place in the image'
        if not self.sparse.used:
            return (
                f'{self.sparse.received} messages of sparse depth came, the newest '
                f'{self.sparse.offset:+.3f} s off the image (image - sparse), more than '
                f'sparse_depth.max_offset of {self.settings.sparse_depth.max_offset:g} s: '
                'check the clocks, or raise it'
            )
        return ''

    def _fit_values(self, processor: MonoProcessor) -> dict[str, object]:
        tracker = processor.tracker
        values: dict[str, object] = {
            'sparse received': self.sparse.received,
            'sparse used': self.sparse.used,
        }
        if tracker.fit is not None:
            values |= {
                'points': tracker.fit.points,
                'inliers': tracker.fit.inliers,
                'cells': tracker.fit.cells,
                'residual': round(tracker.fit.residual, 4),
            }
        if tracker.age is not None:
            values['age'] = round(tracker.age, 3)
        if tracker.scale is not None:
            values |= {'scale': tracker.scale.scale, 'shift': tracker.scale.shift}
        return values
