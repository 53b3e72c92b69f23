# SPDX-License-Identifier: Apache-2.0
"""
Pairs left and right images by stamp, by message_filters or as it does, guarded.

Used bare, that keeps its lock for ever after an exception in the callback, never reports a drop,
pairs frame n with n + 1 once slop reaches the frame period, and goes deaf when time jumps back.
The class below cures each, and counts what it sees.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vizion3d_ros.contracts.settings.stereo_settings import SyncSettings
from vizion3d_ros.incoming.input_stats import PERIOD_SAMPLES, InputStats, Recent
from vizion3d_ros.incoming.messages import Stamped
from vizion3d_ros.incoming.synchronizer import Pairing, PairSynchronizer

SLACK = 1.25  # jitter of the period must not rebuild the synchroniser again and again

logger = logging.getLogger(__name__)
OnPair = Callable[[Any, Any], None]


@dataclass(frozen=True, slots=True)
class PairWords:
    """
    What the two sides of a pair are called, and what gives them one stamp.

    far_cure: the same where the stamps are a frame or more apart. one_rate: whether both sides
    send equally often; else who sends less is to have a partner for each of his.
    """

    left: str = 'left'
    right: str = 'right'
    pair: str = 'stereo pair'
    cure: str = 'trigger the cameras together'
    far_cure: str = 'synchronise the clocks of the cameras (PTP), or trigger them together'
    one_rate: bool = True


class StereoSync:
    """
    Takes `left` and `right` images and calls on_pair for every pair.

    One thread only. `slop` is the one in force, in seconds; `newest_pair_ns`: the earlier stamp
    of the last pair, 0 before the first. on_pair may raise: the error is logged and the next pair
    comes through.
    """

    def __init__(
        self,
        settings: SyncSettings,
        on_pair: OnPair,
        on_jump: Callable[[], None],
        pairing: Callable[[int, int, OnPair], Pairing] = PairSynchronizer,
        words: PairWords | None = None,
    ) -> None:
        """
        Start with that slop, queue size and mode; on_jump() is called when time went back.

        pairing: makes what pairs, of a queue size, a slop in nanoseconds and on_pair.
        """
        self.words = words or PairWords()
        self.settings = settings
        self._pairing = pairing
        self.left = InputStats()
        self.right = InputStats()
        self.recent_pairs = Recent()
        self._paired_at = 0.0  # time.monotonic()
        self._on_pair = on_pair
        self._on_jump = on_jump
        self._slop_told = False
        self.reset()

    def reset(self) -> None:
        """Forget waiting frames and learnt periods; counters stay."""
        for stats in (self.left, self.right):
            stats.restart()
        self.newest_pair_ns = 0
        self.slop = self.settings.slop
        self._connect()

    def restart(self) -> None:
        """Forget all, the counters as well."""
        self.left, self.right, self.recent_pairs = InputStats(), InputStats(), Recent()
        self.reset()

    def unlearn(self) -> None:
        """Learn rates and periods from now on; waiting frames and counters stay."""
        for stats in (self.left, self.right):
            stats.unlearn()

    def configure(self, settings: SyncSettings) -> None:
        """Use other settings from now on; images waiting for a partner are dropped."""
        if settings != self.settings:
            self.settings, self._slop_told = settings, False
            self.reset()

    def add_left(self, image: Stamped) -> None:
        """Take a left image."""
        self._add(0, self.left, image)

    def add_right(self, image: Stamped) -> None:
        """Take a right image."""
        self._add(1, self.right, image)

    def _connect(self) -> None:
        """Start pairing afresh with the slop in force; a spread equal to slop passes."""
        slop_ns = 0 if self.settings.mode == 'exact' else round(self.slop * 1e9)
        self._pairs = self._pairing(self.settings.queue_size, slop_ns + 1, self._paired)

    def _add(self, side: int, stats: InputStats, image: Stamped) -> None:
        stamp_ns = stamp_to_ns(image)
        newest_ns = stats.newest_ns or 0
        if stats.goes_back(stamp_ns):
            if not stats.jumps:  # then the report says so
                logger.info(
                    'time went back by %.3f s: waiting images dropped, pairing starts anew',
                    (newest_ns - stamp_ns) / 1e9,
                )
            self.reset()
            self._on_jump()
        stats.add(stamp_ns)
        if stamp_ns < 0:  # no time for rclpy, which raises; the report tells of it
            return
        self._adapt_slop()
        stats.late += stamp_ns < self.newest_pair_ns
        self._pairs.add(side, stamp_ns, image)

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
        if not self._slop_told:
            self._slop_told = True
            logger.warning(
                'sync.slop is %.4f s, more than half the frame period of %.4f s: images of '
                'different moments could pair up, so half a period is used; lower sync.slop',
                self.slop,
                period_ns / 1e9,
            )
        self.slop = slop
        self._connect()

    def _forget_silence(self) -> None:
        """What came while no pair did must not count against those that come now."""
        for stats in (self.left, self.right):
            stats.forget_recent()

    def _paired(self, left: Stamped, right: Stamped) -> None:
        self.left.paired += 1
        self.right.paired += 1
        if time.monotonic() - self._paired_at > self.settings.timeout:
            self._forget_silence()
        self._paired_at = time.monotonic()
        self.recent_pairs.add()
        self.newest_pair_ns = min(stamp_to_ns(left), stamp_to_ns(right))
        try:
            self._on_pair(left, right)
        except Exception:  # message_filters would keep its lock
            logger.exception('a %s was lost', self.words.pair)


def stamp_to_ns(message: Stamped) -> int:
    """Header stamp in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
