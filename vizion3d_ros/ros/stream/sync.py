# SPDX-License-Identifier: Apache-2.0
"""
Pairs left and right images by stamp: message_filters, guarded.

Used bare, the Python message_filters keeps its lock for ever after an exception in the callback,
never reports a drop, pairs frame n with n + 1 once slop reaches the frame period, and goes deaf
when time jumps back. The class below cures each, and counts what it sees.
"""

from __future__ import annotations

import logging
import math
import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import message_filters
from sensor_msgs.msg import Image, PointCloud2
from stereo_msgs.msg import DisparityImage

from vizion3d_ros.contracts.settings.stereo_settings import SyncSettings

JUMP_BACK_NS = 1_000_000_000  # bags are looped without use_sim_time; drivers jitter far less
PERIOD_SAMPLES = 15
SLACK = 1.25  # jitter of the period must not rebuild the synchroniser again and again
# message_filters wants a spread below slop, and cuts slop to whole nanoseconds first; users
# expect a spread equal to slop to pass.
STRICTNESS = 1.5e-9

logger = logging.getLogger(__name__)
OnPair = Callable[[Image, Image], None]


@dataclass
class InputStats:
    """What one input has seen. Frames waiting in the queue count neither as paired nor lost."""

    received: int = 0
    paired: int = 0
    newest_ns: int | None = None
    arrived: float = -math.inf  # time.monotonic()
    steps_ns: deque[int] = field(default_factory=lambda: deque(maxlen=PERIOD_SAMPLES))

    @property
    def period_ns(self) -> float | None:
        """Median stamp distance of the last frames; None before the second one."""
        return statistics.median(self.steps_ns) if self.steps_ns else None

    def add(self, stamp_ns: int) -> None:
        """Count a frame."""
        self.received += 1
        self.arrived = time.monotonic()
        if self.newest_ns is not None and stamp_ns > self.newest_ns:
            self.steps_ns.append(stamp_ns - self.newest_ns)
        self.newest_ns = stamp_ns


class StereoSync:
    """
    Feeds `left` and `right` images into message_filters and calls on_pair for every pair.

    One thread only. `slop` is the one in force, in seconds. on_pair may raise: the error is
    logged and the next pair comes through.
    """

    def __init__(self, settings: SyncSettings, on_pair: OnPair) -> None:
        """Start empty, with the given slop, queue size and mode."""
        self.settings = settings
        self.left = InputStats()
        self.right = InputStats()
        self._on_pair = on_pair
        self.reset()

    def reset(self) -> None:
        """Forget waiting frames and learnt periods; counters stay."""
        for stats in (self.left, self.right):
            stats.newest_ns = None
            stats.steps_ns.clear()
        self.slop = self.settings.slop
        self._connect()

    def configure(self, settings: SyncSettings) -> None:
        """Use other settings from now on; images waiting for a partner are dropped."""
        if settings != self.settings:
            self.settings = settings
            self.reset()

    def add_left(self, image: Image) -> None:
        """Take a left image."""
        self._add(0, self.left, image)

    def add_right(self, image: Image) -> None:
        """Take a right image."""
        self._add(1, self.right, image)

    def _connect(self) -> None:
        """Start message_filters afresh with the slop in force."""
        self._filters = [message_filters.SimpleFilter(), message_filters.SimpleFilter()]
        queue_size = self.settings.queue_size
        if self.settings.mode == 'exact':
            synchronizer = message_filters.TimeSynchronizer(self._filters, queue_size)
        else:
            synchronizer = message_filters.ApproximateTimeSynchronizer(
                self._filters, queue_size, self.slop + STRICTNESS
            )
        synchronizer.registerCallback(self._paired)

    def _add(self, side: int, stats: InputStats, image: Image) -> None:
        stamp_ns = stamp_to_ns(image)
        if stats.newest_ns is not None and stamp_ns < stats.newest_ns - JUMP_BACK_NS:
            logger.info(
                'time went back by %.3f s: waiting images dropped, pairing starts anew',
                (stats.newest_ns - stamp_ns) / 1e9,
            )
            self.reset()
        stats.add(stamp_ns)
        self._adapt_slop()
        self._filters[side].signalMessage(image)

    def _adapt_slop(self) -> None:
        """
        Keep slop within half a frame period, learnt from a full window of stamps.

        A wider one would, after a single lost image, pair every image with its neighbour's
        partner. Done in large steps, since each drops the images that wait.
        """
        period_ns = self.left.period_ns
        if len(self.left.steps_ns) < PERIOD_SAMPLES or period_ns is None:
            return
        slop = min(self.settings.slop, period_ns / 2e9)
        if self.slop / SLACK <= slop <= self.slop * SLACK:
            return
        if self.slop == self.settings.slop:
            logger.warning(
                'sync.slop is %.4f s, more than half the frame period of %.4f s: images of '
                'different moments could pair up, so half a period is used; lower sync.slop',
                self.slop,
                period_ns / 1e9,
            )
        self.slop = slop
        self._connect()

    def _paired(self, left: Image, right: Image) -> None:
        self.left.paired += 1
        self.right.paired += 1
        try:
            self._on_pair(left, right)
        except Exception:  # message_filters would keep its lock
            logger.exception('a stereo pair was lost')


def stamp_to_ns(message: Image | PointCloud2 | DisparityImage) -> int:
    """Header stamp in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
