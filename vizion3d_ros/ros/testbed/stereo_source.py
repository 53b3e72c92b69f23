# SPDX-License-Identifier: Apache-2.0
"""
What the two stand-in cameras share: topics, waiting for listeners, keeping time, the summary.

A source prepares all frames it will ever show as finished messages; showing one costs a stamp and
a publish call, so the rate holds whatever the machine does beside. The last line on stdout is
JSON with frames_sent, late, dropped_left and dropped_right.
"""

from __future__ import annotations

import json
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from pydantic import Field
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from vision_msgs.msg import Detection2DArray

from vizion3d_ros.contracts.base import Contract

SIDES = ('left', 'right')
POLL_S = 0.02
ACKNOWLEDGE_S = 1.0
GIVE_UP_S = 0.5
# A publisher knows its reader a moment before that reader knows the publisher.
SETTLE_S = 0.3

Message = TypeVar('Message')
Extra = tuple['Publisher[Any]', Image | PointCloud2 | Detection2DArray]


class SourceSettings(Contract):
    """What both sources can be told; read once at start."""

    rate: float = Field(30.0, ge=0.1, le=1000.0, description='Frames per second')
    frames: int = Field(0, ge=0, le=10**9, description='Exit after this many frames; 0 = never')
    wait_for_subscribers: float = Field(
        0.0,
        ge=0.0,
        le=3600.0,
        description='Seconds to wait at most until somebody listens to images and camera_info',
    )
    listeners: list[int] = Field(
        [1, 1],
        min_length=2,
        max_length=2,
        description='How many must listen to the left and the right camera, to end the waiting',
    )


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """
    One moment, ready to be stamped and sent, left and right; infos of None are not sent.

    extras: publishers made by `advertise` and what they send, ahead of the images, while somebody
    listens.
    """

    images: tuple[Image, Image]
    infos: tuple[CameraInfo, CameraInfo] | None
    extras: tuple[Extra, ...] = ()


@dataclass(slots=True)
class Sent:
    """What became of the frames. late: moments that passed while an earlier frame was sent."""

    frames_sent: int = 0
    late: int = 0
    dropped_left: int = 0
    dropped_right: int = 0


@dataclass(frozen=True, slots=True)
class Transmission:
    """How a frame goes out: seconds added to each side's stamp; None = the side is lost."""

    left_s: float | None = 0.0
    right_s: float | None = 0.0


class StereoSource(Node, ABC):
    """Publishes prepared frames in order, again and again, at a steady rate."""

    def __init__(self, name: str) -> None:
        """Advertise the images; the calibrations follow when all frames are there, in seconds."""
        super().__init__(name)
        self.sent = Sent()
        self.stopping = threading.Event()
        self._frames: list[SourceFrame] = []
        self._failure: Exception | None = None
        self._advertised: list[Publisher[Any]] = []
        self._images = [self.advertise(Image, f'{side}/image_rect') for side in SIDES]
        self._infos: list[Publisher[CameraInfo]] = []
        self._worker = threading.Thread(target=self._prepare, daemon=True)

    @abstractmethod
    def prepare(self) -> list[SourceFrame]:
        """Make all frames, in a thread of its own; gives up soon once `stopping` is set."""

    def transmission(self) -> Transmission:
        """Decide how the next frame goes out."""
        return Transmission()

    def advertise(self, kind: type[Message], topic: str) -> Publisher[Message]:
        """Make a publisher with the profile of all topics; extras of frames before `begin`."""
        overrides = QoSOverridingOptions.with_default_policies()
        # Reliable with a few frames of history: matches every reader, and outlasts a short stall.
        # A new profile each time, because rclpy writes the overrides into it.
        qos = QoSProfile(depth=5)
        publisher = self.create_publisher(kind, topic, qos, qos_overriding_options=overrides)
        self._advertised.append(publisher)
        return publisher

    def begin(self, settings: SourceSettings) -> None:
        """Start preparing, then waiting for listeners, then publishing."""
        self._rate = settings.rate
        self._total = settings.frames
        self._patience_s = settings.wait_for_subscribers
        self._listeners = settings.listeners
        self._deadline = time.monotonic() + self._patience_s
        self._heard_since = math.inf
        self._worker.start()
        # System time may jump and simulated time may not run: a camera depends on neither.
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = self.create_timer(POLL_S, self._wait, clock=self._steady)

    def destroy_node(self) -> None:
        """Stop preparing, print the summary and take everything down."""
        self.stopping.set()
        if self._worker.is_alive():
            self._worker.join(GIVE_UP_S)
        print(json.dumps(asdict(self.sent)), flush=True)
        super().destroy_node()

    def _prepare(self) -> None:
        try:
            self._frames = self.prepare()
        except Exception as error:  # raised again in the executor's thread
            self._failure = error

    def _wait(self) -> None:
        """Poll until all frames are there and somebody listens, then start the show."""
        if self._worker.is_alive():
            return
        if self._failure is not None:
            raise self._failure
        if not self._infos:
            self._infos = [self.advertise(CameraInfo, f'{side}/camera_info') for side in SIDES]
        if self._patience_s and not self._heard():
            if time.monotonic() < self._deadline:
                return
            self.get_logger().warning(
                f'nobody listens to images and camera_info after {self._patience_s:g} s, or fewer '
                f'than the {self._listeners} expected (left, right): starting anyway'
            )
        self.destroy_timer(self._timer)
        self._started = time.monotonic()
        self._due = 0
        self._timer = self.create_timer(1 / self._rate, self._tick, clock=self._steady)
        self._tick()

    def _heard(self) -> bool:
        """Tell whether all that will be sent has had a listener for a moment."""
        sends_infos = any(frame.infos is not None for frame in self._frames)
        needed: list[Sequence[Publisher[Any]]] = [self._images]
        if sends_infos:
            needed.append(self._infos)
        enough = all(
            publisher.get_subscription_count() >= expected
            for sides in needed
            for publisher, expected in zip(sides, self._listeners)
        )
        if not enough:
            self._heard_since = math.inf
            return False
        self._heard_since = min(self._heard_since, time.monotonic())
        return time.monotonic() - self._heard_since >= SETTLE_S

    def _tick(self) -> None:
        due = round((time.monotonic() - self._started) * self._rate)
        self.sent.late += max(due - self._due, 0)
        self._due = due + 1
        try:
            self._send(self._frames[self.sent.frames_sent % len(self._frames)])
        except Exception as error:
            if self.context.ok():
                raise
            # A signal shut the middleware down in the middle of a frame.
            raise ExternalShutdownException from error
        self.sent.frames_sent += 1
        if self.sent.frames_sent == self._total:
            self._finish()

    def _send(self, frame: SourceFrame) -> None:
        now = self.get_clock().now()
        way = self.transmission()
        for publisher, message in frame.extras:
            if publisher.get_subscription_count():
                message.header.stamp = now.to_msg()
                publisher.publish(message)
        for side, offset_s in enumerate((way.left_s, way.right_s)):
            if offset_s is None:
                continue
            stamp = (now + Duration(seconds=offset_s)).to_msg()
            if frame.infos is not None:
                frame.infos[side].header.stamp = stamp
                self._infos[side].publish(frame.infos[side])
            frame.images[side].header.stamp = stamp
            self._images[side].publish(frame.images[side])
        self.sent.dropped_left += way.left_s is None
        self.sent.dropped_right += way.right_s is None

    def _finish(self) -> None:
        """Let reliable readers have the last frames, then end the spinning."""
        for publisher in self._advertised:
            publisher.wait_for_all_acked(Duration(seconds=ACKNOWLEDGE_S))
        raise ExternalShutdownException
