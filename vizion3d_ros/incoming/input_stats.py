# SPDX-License-Identifier: Apache-2.0
"""What an input has seen: counts since the start, and of the last seconds."""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from dataclasses import dataclass, field

PERIOD_SAMPLES = 15
RECENT_SECONDS = 5.0
SILENCE_SECONDS = 2.0
JUMP_BACK_NS = 1_000_000_000  # bags are looped without use_sim_time; drivers jitter far less
LEAP_NS = 10_000_000_000  # beyond the time that passed; a bag may be played ten times as fast
SLOWED = 5  # long steps in a row that are alike, as no loss leaves them
ALIKE = 1.3
FEWEST_JUMPS = 3  # in the last seconds
# A longer gap is a camera that stood still, not images lost.
PAUSE_NS = round(SILENCE_SECONDS * 1e9)


class Recent:
    """Counts what happened in the last five seconds."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, int]] = deque(maxlen=5000)

    def add(self, count: int = 1) -> None:
        """Count something that happened now."""
        self._events.append((time.monotonic(), count))

    @property
    def total(self) -> int:
        """How much of it there was."""
        self._drop_old()
        return sum(count for _, count in self._events)

    @property
    def age(self) -> float:
        """How many seconds ago the last of it was; infinite before the first."""
        return time.monotonic() - self._events[-1][0] if self._events else math.inf

    @property
    def seconds(self) -> float:
        """How long ago the first of it was."""
        self._drop_old()
        return time.monotonic() - self._events[0][0] if self._events else 0.0

    @property
    def rate_hz(self) -> float:
        """How often it happened in a second since it began; in the first one, how often so far."""
        return self.total / max(1.0, self.seconds)

    def _drop_old(self) -> None:
        oldest = time.monotonic() - RECENT_SECONDS
        while self._events and self._events[0][0] < oldest:
            self._events.popleft()


@dataclass
class InputStats:
    """
    What one input has seen. Frames waiting for a partner count neither as paired nor as lost.

    late: came after a newer one had been paired. missing: by the stamps of those around them taken
    by the camera, and never arrived. recently_repeated: with the stamp of the one before them;
    recently_back: with one so much older that all starts anew.
    arrived: when the last one did; began: when the first one did, or the first one after a
    silence.
    """

    received: int = 0
    paired: int = 0
    late: int = 0
    missing: int = 0
    newest_ns: int | None = None
    arrived: float = -math.inf  # time.monotonic()
    began: float = -math.inf
    stamps_ns: deque[int] = field(default_factory=lambda: deque(maxlen=2 * PERIOD_SAMPLES))
    steps_ns: deque[int] = field(default_factory=lambda: deque(maxlen=PERIOD_SAMPLES))
    recently_received: Recent = field(default_factory=Recent)
    recently_missing: Recent = field(default_factory=Recent)
    recently_repeated: Recent = field(default_factory=Recent)
    recently_back: Recent = field(default_factory=Recent)
    _doubtful: int = 0  # lost, or never taken by a camera that slows down

    @property
    def period_ns(self) -> float | None:
        """Median stamp distance of the last frames; None before the second one."""
        return statistics.median(self.steps_ns) if self.steps_ns else None

    @property
    def rate_hz(self) -> float:
        """Images per second over the last seconds."""
        return self.recently_received.rate_hz

    @property
    def missing_share(self) -> float:
        """Share of the images of the last seconds that never arrived."""
        missing = self.recently_missing.total
        return missing / max(1, missing + self.recently_received.total)

    def add(self, stamp_ns: int) -> None:
        """Count a frame."""
        self.received += 1
        now = time.monotonic()
        silent = now - self.arrived
        if silent > SILENCE_SECONDS:
            self.began = now
        self.arrived = now
        if self.newest_ns is not None and stamp_ns - self.newest_ns > 1e9 * silent + LEAP_NS:
            self.restart()  # another time began: stamps of both would be compared as one
        self.recently_received.add()
        if self.newest_ns is not None and stamp_ns > self.newest_ns:
            self._add_step(stamp_ns - self.newest_ns)
        if stamp_ns == self.newest_ns:
            self.recently_repeated.add()
        self.stamps_ns.append(stamp_ns)
        self.newest_ns = stamp_ns

    def goes_back(self, stamp_ns: int) -> bool:
        """Count it, if the stamp of the next image says that time went back."""
        back = self.newest_ns is not None and stamp_ns < self.newest_ns - JUMP_BACK_NS
        if back:
            self.recently_back.add()
        return back

    @property
    def jumps(self) -> bool:
        """Whether time went back so often that it is no bag which starts again."""
        back = self.recently_back
        return back.total >= FEWEST_JUMPS and back.age < SILENCE_SECONDS

    def forget_recent(self) -> None:
        """Count the last seconds from the newest image on."""
        self.recently_received = Recent()
        self.recently_received.add()
        self.recently_missing = Recent()
        self.recently_repeated = Recent()

    def unlearn(self) -> None:
        """Learn from now on: what came was of several cameras, and true of none of them."""
        self.restart()
        self.forget_recent()

    def restart(self) -> None:
        """Forget learnt stamps, as after a jump of time; counters stay."""
        self.newest_ns = None
        self._doubtful = 0
        self.steps_ns.clear()
        self.stamps_ns.clear()

    def _add_step(self, step_ns: int) -> None:
        self.steps_ns.append(step_ns)
        if len(self.steps_ns) == PERIOD_SAMPLES and step_ns < PAUSE_NS:
            # Of mostly lost images the short steps tell the period, and not the shortest: jitter.
            period_ns = sorted(self.steps_ns)[PERIOD_SAMPLES // 5]
            self._add_missing(round(step_ns / period_ns) - 1)

    def _add_missing(self, missing: int) -> None:
        """Count what a long step lacks, once a short one proves that the rate is what it was."""
        if missing > 0:
            last = tuple(self.steps_ns)[-SLOWED:]
            slower = max(last) < ALIKE * min(last)
            self._doubtful = 0 if slower else self._doubtful + missing
        elif self._doubtful:
            self.missing += self._doubtful
            self.recently_missing.add(self._doubtful)
            self._doubtful = 0
