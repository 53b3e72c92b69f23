# SPDX-License-Identifier: Apache-2.0
"""Say a thing at once, and again only now and then."""

from __future__ import annotations

import math
import re
import time
from collections import deque

REPEAT_SECONDS = 10.0
MOST_TEXTS = 50


class Throttle:
    """
    Remembers what was said; texts that differ only in their numbers count as one.

    The throttle of rclpy goes by line of code, where one text would silence all others.
    """

    def __init__(self, most: int = 1) -> None:
        """most: how often one may be said in ten seconds."""
        self._most = most
        self._said: dict[str, deque[float]] = {}

    def allows(self, text: str) -> bool:
        """Whether text was not said too often in the last ten seconds; then it is said now."""
        key, now = re.sub(r'\d+', '', text), time.monotonic()
        said = self._said.get(key, deque(maxlen=self._most))
        if len(said) == self._most and now - said[0] < REPEAT_SECONDS:
            return False
        if len(self._said) >= MOST_TEXTS:
            self._said.clear()
        said.append(now)
        self._said[key] = said
        return True


class Pace:
    """Lets a thing happen once in a period, which may be another one each time it is asked."""

    def __init__(self, early: float = 0.0) -> None:
        """early: seconds by which one may come before its time."""
        self._early = early
        self._last = -math.inf

    def allows(self, period: float) -> bool:
        """Whether the last one was period seconds ago; then there is one now."""
        now, due = time.monotonic(), self._last + period
        if now < due - self._early:
            return False
        # From when it was due, not from now: lateness must not lower the rate. But after a pause
        # there are not two at once.
        self._last = due if now - due < period else now
        return True
