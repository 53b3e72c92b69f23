# SPDX-License-Identifier: Apache-2.0
"""Say a thing at once, and again only now and then."""

from __future__ import annotations

import math
import re
import time

REPEAT_SECONDS = 10.0
MOST_TEXTS = 50


class Throttle:
    """
    Remembers what was said; texts that differ only in their numbers count as one.

    The throttle of rclpy goes by line of code, where one text would silence all others.
    """

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def allows(self, text: str) -> bool:
        """Whether text has not been said for ten seconds; then it counts as said now."""
        key, now = re.sub(r'\d+', '', text), time.monotonic()
        if key in self._said and now - self._said[key] < REPEAT_SECONDS:
            return False
        if len(self._said) >= MOST_TEXTS:
            self._said.clear()
        self._said[key] = now
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
        # From when it was due, not from now: lateness must not lower the rate.
        self._last = max(due, now - period)
        return True
