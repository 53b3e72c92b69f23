# SPDX-License-Identifier: Apache-2.0
"""Pairs of images as message_filters makes them, behind the words of PairSynchronizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import message_filters

EXACT_NS = 1
# message_filters wants a spread below slop, and cuts slop to whole nanoseconds first.
STRICTNESS_NS = 0.5


class FilteredPairs:
    """Two inputs of a synchroniser of message_filters, which calls on_pair(left, right)."""

    def __init__(self, queue_size: int, slop_ns: int, on_pair: Callable[[Any, Any], None]) -> None:
        """Take slop_ns as PairSynchronizer does: stamps lie less apart; 1 = equal ones only."""
        self._inputs = [message_filters.SimpleFilter(), message_filters.SimpleFilter()]
        if slop_ns == EXACT_NS:
            synchronizer = message_filters.TimeSynchronizer(self._inputs, queue_size)
        else:
            synchronizer = message_filters.ApproximateTimeSynchronizer(
                self._inputs, queue_size, (slop_ns + STRICTNESS_NS) / 1e9
            )
        synchronizer.registerCallback(on_pair)

    def add(self, side: int, stamp_ns: int, message: Any) -> None:
        """Take a message of side 0 (left) or 1 (right), whose header has the stamp."""
        self._inputs[side].signalMessage(message)
