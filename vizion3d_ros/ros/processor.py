# SPDX-License-Identifier: Apache-2.0
"""What the worker thread does with a pair: decode, run the pipeline, publish what is wanted."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from vizion3d_ros.contracts.commands import StereoCommand
from vizion3d_ros.contracts.errors import DepthError, explain
from vizion3d_ros.contracts.stereo_settings import StereoSettings
from vizion3d_ros.pipeline import StereoPipeline
from vizion3d_ros.ros.camera_info import CameraInfoCache
from vizion3d_ros.ros.messages_in import pair_to_arrays
from vizion3d_ros.ros.messages_out import Answer
from vizion3d_ros.ros.throttle import Throttle
from vizion3d_ros.ros.topics import OUTPUT_TOPICS, OutputPublishers

RATE_SAMPLES = 30

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StereoFrame:
    """A pair as it waits for the worker: references only, nothing decoded."""

    left: Image
    right: Image


class StereoProcessor:
    """Callable for the worker; its counters may be read from any thread."""

    def __init__(
        self,
        pipeline: StereoPipeline,
        infos: CameraInfoCache,
        outputs: OutputPublishers,
        settings: Callable[[], StereoSettings],
    ) -> None:
        """settings() gives the ones to use for the frame in hand."""
        self._pipeline = pipeline
        self._infos = infos
        self._outputs = outputs
        self._settings = settings
        self._finished: deque[float] = deque(maxlen=RATE_SAMPLES)
        self._throttle = Throttle()
        self.processed = 0
        self.failed = 0
        self.last_error = ''
        self.backend_used = ''
        self.timings_ms: dict[str, float] = {}

    @property
    def finished(self) -> float:
        """When the newest frame was finished, time.monotonic(); 0 before the first."""
        times = tuple(self._finished)
        return times[-1] if times else 0.0

    @property
    def rate_hz(self) -> float:
        """Frames per second over the last frames; 0 before the second one."""
        times = tuple(self._finished)
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0

    def __call__(self, frame: StereoFrame) -> None:
        """Process one pair; does nothing without a listener or a usable calibration."""
        settings, known = self._settings(), self._infos.known
        names = self._outputs.wanted(settings.lazy, settings.points.max_rate)
        if not names or known is None or known.calibration.rig is None:
            return
        started = time.perf_counter()
        left, right = pair_to_arrays(frame.left, frame.right, settings.mono16_bits)
        needs = {OUTPUT_TOPICS[name].needs for name in names} - {None}
        decoded = time.perf_counter()
        result = self._pipeline.run(
            StereoCommand(
                left=left,
                right=right,
                rig=known.calibration.rig,
                settings=settings,
                outputs=frozenset(needs),
            )
        )
        computed = time.perf_counter()
        header = Header(
            stamp=frame.left.header.stamp,
            frame_id=settings.frame_id_override or frame.left.header.frame_id,
        )
        self._outputs.publish(Answer(result, header, known.left_info, settings), names)
        self._note(result.backend_used, header)
        self.timings_ms = {
            'decode': 1e3 * (decoded - started),
            **result.timings_ms,
            'publish': 1e3 * (time.perf_counter() - computed),
        }

    def on_error(self, error: Exception) -> None:
        """Count and report a frame that failed; the same error once in ten seconds."""
        if not self._outputs.usable:
            return
        self.failed += 1
        self.last_error = explain(error)
        if not self._throttle.allows(self.last_error):
            return
        if isinstance(error, (DepthError, ValidationError)):
            logger.error('frame lost: %s', self.last_error)
        else:
            logger.error('frame lost: %s', self.last_error, exc_info=error)

    def _note(self, backend_used: str, header: Header) -> None:
        if not self.processed and not header.frame_id:
            logger.warning(
                'the left image has an empty frame_id, so have all outputs: TF and rviz2 will '
                'not place them; set frame_id in the driver, or frame_id_override here'
            )
        if backend_used != self.backend_used:
            logger.info('depth from %s', backend_used)
            self.backend_used = backend_used
        self.last_error = ''
        self.processed += 1
        self._finished.append(time.monotonic())
