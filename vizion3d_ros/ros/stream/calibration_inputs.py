# SPDX-License-Identifier: Apache-2.0
"""
Subscriptions to camera_info, which are there before anybody listens to an output.

A calibration may be sent once only, so they open early. One that comes with every image costs an
idle node more than all else it does: it is let go of, and looked at again now and then.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from rclpy.subscription import Subscription

STREAMED = 2  # messages between two looks, half a second apart
AGAIN_SECONDS = 10.0

Create = Callable[[str], Subscription]


class CalibrationInputs:
    """What is subscribed to of the named inputs; `hear` is told of every message."""

    def __init__(
        self,
        names: Sequence[str],
        create: Create,
        create_kept: Create,
        destroy: Callable[[Subscription], object],
    ) -> None:
        """create_kept(name) asks a writer for what it sent before, too."""
        self._names = names
        self._create = create
        self._create_kept = create_kept
        self._destroy = destroy
        self._open: dict[str, Subscription] = {}
        self._kept: dict[str, Subscription] = {}
        self._rests_until: dict[str, float] = {}  # time.monotonic()
        self._heard: Counter[str] = Counter()
        self._missed: set[str] = set()

    @property
    def may_be_old(self) -> bool:
        """Whether one was let go of and has not been heard since."""
        return bool(self._missed)

    def open(self) -> None:
        """Subscribe to all, those let go of as well."""
        self._rests_until.clear()
        for name in self._names:
            if name not in self._open:
                self._open[name] = self._create(name)

    def renew(self, name: str) -> None:
        """Subscribe to one anew, if it is open, as its topic is another one now."""
        if name in self._open:
            self._let_go(name)
            self._open[name] = self._create(name)

    def ask_for_kept(self, is_kept: Callable[[str], bool]) -> None:
        """Ask for what was sent before this node came, where a writer keeps it."""
        for name in self._open:
            # Asking for it where nobody keeps anything would have every driver warn of it.
            if name not in self._kept and is_kept(name):
                self._kept[name] = self._create_kept(name)

    def hear(self, name: str) -> None:
        """Count a message."""
        self._heard[name] += 1
        self._missed.discard(name)

    def rest(self) -> None:
        """Let go of what comes all the time; called every half second while nobody needs it."""
        now = time.monotonic()
        for name in [each for each in self._open if self._heard[each] >= STREAMED]:
            self._let_go(name)
            self._rests_until[name] = now + AGAIN_SECONDS
            self._missed.add(name)
        for name in [each for each, until in self._rests_until.items() if now >= until]:
            del self._rests_until[name]
            self._open[name] = self._create(name)
        self._heard.clear()

    def close(self) -> None:
        """Drop all."""
        for name in list(self._open):
            self._let_go(name)
        self._rests_until.clear()

    def _let_go(self, name: str) -> None:
        for subscriptions in (self._open, self._kept):
            if name in subscriptions:
                self._destroy(subscriptions.pop(name))
