# SPDX-License-Identifier: Apache-2.0
"""
Pairs left and right images by stamp: message_filters, guarded.

Used bare, the Python message_filters keeps its lock for ever after an exception in the callback,
never reports a drop, pairs frame n with n + 1 once slop reaches the frame period, and goes deaf
when time jumps back. The class below cures each, and counts what it sees.
"""

from __future__ import annotations

import logging
import statistics
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import message_filters
from sensor_msgs.msg import Image

from vizion3d_ros.contracts.settings import SyncSettings

JUMP_BACK_NS = 1_000_000_000  # bags are looped without use_sim_time; drivers jitter far less
PERIOD_SAMPLES = 15

logger = logging.getLogger(__name__)
OnPair = Callable[[Image, Image], None]


@dataclass
class InputStats:
    """What one input has seen. Frames waiting in the queue count neither as paired nor lost."""

    received: int = 0
    paired: int = 0
    newest_ns: int | None = None
    arrived: float = 0.0  # time.monotonic()
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

    One thread only. on_pair may raise: the error is logged and the next pair comes through.
    """

    def __init__(self, settings: SyncSettings, on_pair: OnPair) -> None:
        """Start empty, with the given slop, queue size and mode."""
        self.settings = settings
        self.left = InputStats()
        self.right = InputStats()
        self.refused = 0
        self._on_pair = on_pair
        self._warned_slop = False
        self.reset()

    def reset(self) -> None:
        """Forget waiting frames and learnt periods; counters stay."""
        for stats in (self.left, self.right):
            stats.newest_ns = None
            stats.steps_ns.clear()
        self._filters = (message_filters.SimpleFilter(), message_filters.SimpleFilter())
        self._new_synchronizer().registerCallback(self._paired)

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

    def _new_synchronizer(self) -> message_filters.SimpleFilter:
        filters, settings = list(self._filters), self.settings
        if settings.mode == 'exact':
            return message_filters.TimeSynchronizer(filters, settings.queue_size)
        # message_filters wants a spread below slop, users expect one equal to it to pass.
        slop = settings.slop + 1e-9
        return message_filters.ApproximateTimeSynchronizer(filters, settings.queue_size, slop)

    def _add(self, side: int, stats: InputStats, image: Image) -> None:
        stamp_ns = stamp_to_ns(image)
        if stats.newest_ns is not None and stamp_ns < stats.newest_ns - JUMP_BACK_NS:
            logger.info(
                'time went back by %.3f s: waiting images dropped, pairing starts anew',
                (stats.newest_ns - stamp_ns) / 1e9,
            )
            self.reset()
        stats.add(stamp_ns)
        self._filters[side].signalMessage(image)

    def _paired(self, left: Image, right: Image) -> None:
        spread_ns = abs(stamp_to_ns(left) - stamp_to_ns(right))
        limit_ns = self._half_period_ns()
        if limit_ns is not None:
            self._warn_of_wide_slop(limit_ns)
            if spread_ns > limit_ns:
                self.refused += 1
                return
        self.left.paired += 1
        self.right.paired += 1
        try:
            self._on_pair(left, right)
        except Exception:  # message_filters would keep its lock
            logger.exception('a stereo pair was lost')

    def _half_period_ns(self) -> float | None:
        period_ns = self.left.period_ns
        return None if period_ns is None else period_ns / 2

    def _warn_of_wide_slop(self, half_period_ns: float) -> None:
        wide = self.settings.mode == 'approximate' and self.settings.slop * 1e9 >= half_period_ns
        if wide and not self._warned_slop:
            logger.warning(
                'sync.slop is %.4f s, at least half the frame period of %.4f s: frames of '
                'different moments could pair up. Pairs farther apart than half a period are '
                'refused; lower sync.slop',
                self.settings.slop,
                2 * half_period_ns / 1e9,
            )
        self._warned_slop = wide


def stamp_to_ns(message: Image) -> int:
    """Header stamp in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
