# SPDX-License-Identifier: Apache-2.0
"""What examinations may cost: a share of a core in the long run, and a few at once before that."""

from __future__ import annotations

SHARE = 0.007  # of a core; looks between two examinations come on top
AT_ONCE_SECONDS = 0.05


class Budget:
    """Debts that shrink with time; all in seconds, `now` of a steady clock."""

    def __init__(self) -> None:
        """Nothing spent yet."""
        self._debt = 0.0
        self._since = 0.0

    def spend(self, seconds: float, now: float) -> None:
        """Add what an examination took."""
        self._debt = self._left(now) + seconds
        self._since = now

    def allows(self, now: float, urgent: bool) -> bool:
        """Whether there is something left for another one; urgent ones get twice as much."""
        return self._left(now) < AT_ONCE_SECONDS * (2 if urgent else 1)

    def _left(self, now: float) -> float:
        return max(0.0, self._debt - SHARE * (now - self._since))
