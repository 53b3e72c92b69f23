# SPDX-License-Identifier: Apache-2.0
"""
What becomes of a frame: the worker decodes it and runs the pipeline, then it is published.

`FrameProcessor` is both; the stereo and the mono node fill in how a frame becomes a command.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast

from pydantic import ValidationError
from std_msgs.msg import Header

from vizion3d_ros.contracts.commands import Output
from vizion3d_ros.contracts.errors import DepthError, explain
from vizion3d_ros.contracts.settings.node_settings import NodeSettings, StreamSettings
from vizion3d_ros.incoming.messages import CameraInfo, Image
from vizion3d_ros.ros.messages.outgoing import AnyAnswer, FrameAnswer
from vizion3d_ros.ros.stream.significant_bits import SignificantBits
from vizion3d_ros.ros.stream.sparse_reading import SparseReading
from vizion3d_ros.ros.stream.topics import OutputPublishers
from vizion3d_ros.ros.throttle import Throttle

RATE_SAMPLES = 30
SILENT_FRAMES = 10  # that did not come: the stream stands still

NAMELESS = (
    'the input image has an empty frame_id, so have all outputs: TF and rviz2 will not place '
    'them; set frame_id in the driver, or frame_id_override here'
)

logger = logging.getLogger(__name__)


class Frame(Protocol):
    """A frame as it waits for the worker: references only, nothing decoded."""

    @property
    def image(self) -> Any:
        """The image whose stamp and frame the outputs carry."""
        ...


AnyFrame = TypeVar('AnyFrame', bound=Frame)
Settings = TypeVar('Settings', bound=StreamSettings)


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """
    What to compute of a frame, the infos by camera, that of the image first, and how the message
    of sparse depth that came with it was read, None without one.

    image: the one whose stamp and frame the outputs carry, no longer compressed.
    """

    image: Image
    command: Any  # a StereoCommand, MonoCommand or AnnotationCommand
    infos: Mapping[str, CameraInfo]
    sparse: SparseReading | None = None


@dataclass(frozen=True, slots=True)
class ComputedFrame:
    """
    What there is to publish, and for which topics.

    epoch: that of the processor when it began, started: the time then, time.perf_counter();
    timings_ms: how long each stage took.
    """

    decoded: DecodedFrame
    answer: AnyAnswer
    topics: frozenset[str]
    epoch: int
    started: float
    timings_ms: dict[str, float]


class FrameProcessor(ABC, Generic[AnyFrame, Settings]):
    """Computes frames in one thread, publishes in another; counters are for any thread."""

    MAKES: ClassVar[str] = 'depth'

    def __init__(
        self, pipeline: Any, outputs: OutputPublishers, settings: Callable[[], Settings]
    ) -> None:
        """settings() gives the ones to use for the frame in hand."""
        self.pipeline = pipeline
        self._outputs = outputs
        self._settings = settings
        self._finished: deque[float] = deque(maxlen=RATE_SAMPLES)
        self._throttle = Throttle()
        self._epoch = 0
        self.bits = SignificantBits()
        self.processed = 0
        self.failed = 0
        self.nameless = False
        self.last_error = ''
        self.backend_used = self.checkpoint = self.licence = ''
        self.timings_ms: deque[dict[str, float]] = deque(maxlen=RATE_SAMPLES)

    @abstractmethod
    def decode(
        self, frame: AnyFrame, settings: Settings, needs: frozenset[Output]
    ) -> DecodedFrame | None:
        """Make the command; None when nothing can be computed, which diagnostics explain."""

    def run(self, command: Any) -> Any:
        """Compute a frame of the stream."""
        return self.pipeline.run(command)

    def drop(self) -> None:
        """Let nothing come of the frame in hand, if any, and forget how the last one failed."""
        self._epoch += 1
        self.last_error = ''

    def restart(self) -> None:
        """Drop the frame in hand, and count and measure from now on."""
        self.drop()
        self.processed = self.failed = 0
        self._finished.clear()
        self.timings_ms.clear()

    @property
    def finished(self) -> float:
        """When the newest frame was finished, time.monotonic(); 0 before the first."""
        times = tuple(self._finished)
        return times[-1] if times else 0.0

    @property
    def rate_hz(self) -> float:
        """Frames per second over the last frames; 0 before the second, and while none comes."""
        times = tuple(self._finished)
        if len(times) < 2:
            return 0.0
        rate_hz = (len(times) - 1) / (times[-1] - times[0])
        return rate_hz if rate_hz * (time.monotonic() - times[-1]) < SILENT_FRAMES else 0.0

    def compute(self, frame: AnyFrame) -> Callable[[], None] | None:
        """
        Compute what the listeners want, and return what publishes it.

        None without a listener, and when nothing can be computed.
        """
        settings, epoch = self._settings(), self._epoch
        topics = self._outputs.due(settings.lazy, settings.cloud_period)
        if not topics:
            return None
        started = time.perf_counter()
        decoded = self.decode(frame, settings, self._outputs.needs(topics))
        if decoded is None:
            return None
        self.look(decoded, settings)
        ready = time.perf_counter()
        answer = self.answer(frame, decoded, settings, self.run(decoded.command))
        timings_ms = {'decode': 1e3 * (ready - started), **answer.result.timings_ms}
        computed = ComputedFrame(decoded, answer, topics, epoch, started, timings_ms)
        return partial(self._publish, computed)

    def _publish(self, frame: ComputedFrame) -> None:
        if frame.epoch != self._epoch:  # it is of a time before a jump or a pause
            return
        begun = time.perf_counter()
        self._outputs.publish(frame.answer, frame.topics)
        self.record(frame.decoded, frame.answer)
        ended = time.perf_counter()
        last = {'publish': 1e3 * (ended - begun), 'total': 1e3 * (ended - frame.started)}
        self.timings_ms.append(frame.timings_ms | last)
        if not self.bits.suspected:  # else pictures look dark that are not
            self.examine(frame.decoded.command, frame.answer.result)

    def look(self, decoded: DecodedFrame, settings: Settings) -> None:
        """Look for words of an image that hold fewer bits than they should."""
        self.bits.look(decoded.image, settings.mono16_bits, time.monotonic())

    def examine(self, command: Any, result: Any) -> None:
        """Look for faults that the pictures show, after everything is published."""

    def answer(
        self, frame: AnyFrame, decoded: DecodedFrame, settings: Settings, result: Any
    ) -> Any:
        """Put the result of a decoded frame beside what else its messages are made of."""
        header = Header(
            stamp=frame.image.header.stamp,
            frame_id=settings.frame_id_override or frame.image.header.frame_id,
        )
        info = next(iter(decoded.infos.values()), None)
        return FrameAnswer(result, header, info, cast(NodeSettings, settings))

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

    def record(self, decoded: DecodedFrame, answer: FrameAnswer[Any]) -> None:
        """Count a finished frame, and log what is new about it."""
        nameless, self.nameless = self.nameless, not answer.header.frame_id
        if self.nameless and not nameless:
            logger.warning(NAMELESS)
        backend_used = answer.result.backend_used
        if backend_used != self.backend_used:
            logger.info('%s from %s', self.MAKES, backend_used)
            self.backend_used = backend_used
        self.checkpoint, self.licence = answer.result.checkpoint, answer.result.licence
        self.last_error = ''
        self.processed += 1
        if len(self._finished) > 1 and not self.rate_hz:  # a pause is no part of the next rate
            self._finished.clear()
        self._finished.append(time.monotonic())
