# SPDX-License-Identifier: Apache-2.0
"""
Which messages of two inputs belong together: what message_filters does, without ROS.

Its TimeSynchronizer pairs equal stamps, its ApproximateTimeSynchronizer the nearest ones within
slop. Here is neither a lock, which upstream keeps after an exception in a callback, nor a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

Message = TypeVar('Message')


class Pairing(Protocol):
    """Takes messages of two sides, and calls somebody for every pair."""

    def add(self, side: int, stamp_ns: int, message: Any) -> None:
        """Take a message of side 0 (left) or 1 (right)."""


class PairSynchronizer(Generic[Message]):
    """
    Keeps the newest `queue_size` messages of both sides, and calls on_pair(left, right).

    slop_ns: stamps of a pair lie less than this apart; 1 = equal stamps only.
    """

    def __init__(
        self, queue_size: int, slop_ns: int, on_pair: Callable[[Message, Message], None]
    ) -> None:
        self._queue_size = queue_size
        self._slop_ns = slop_ns
        self._on_pair = on_pair
        self._queues: tuple[dict[int, Message], dict[int, Message]] = ({}, {})

    def add(self, side: int, stamp_ns: int, message: Message) -> None:
        """Take a message of side 0 (left) or 1 (right)."""
        own, other = self._queues[side], self._queues[1 - side]
        own[stamp_ns] = message
        while len(own) > self._queue_size:
            del own[min(own)]
        # Of two as near, the one that came first, as upstream's stable sort has it.
        nearest = min(other, key=lambda stamp: abs(stamp - stamp_ns), default=None)
        if nearest is None or stamp_ns not in own:
            return
        if abs(nearest - stamp_ns) < self._slop_ns:
            pair = (own.pop(stamp_ns), other.pop(nearest))
            self._on_pair(pair[side], pair[1 - side])
