# SPDX-License-Identifier: Apache-2.0
"""Who publishes on an input, and whether several do in turn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vizion3d_ros.incoming.input_stats import Recent

FEWEST_TURNS = 3  # a camera that starts anew counts from the beginning once
UNSUPPORTED = 2**64 - 1  # what a middleware without such numbers gives


@dataclass(frozen=True, slots=True)
class PublisherSeen:
    """A publisher on an input. type: as in sensor_msgs/msg/Image; fault: why it is not heard."""

    node: str
    type: str
    reliability: str
    fault: str = ''


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    An input as the network shows it; similar: topics of its type that may have been meant.

    other_transport: topic of the same images, which nobody publishes on this one, '' if none.
    switchable: whether the parameter image_transport chooses how these images come.
    since: time.monotonic() from which on this node listened and somebody, if any, was there.
    """

    topic: str
    type: str
    publishers: tuple[PublisherSeen, ...] = ()
    similar: tuple[str, ...] = ()
    since: float = -math.inf
    other_transport: str = ''
    switchable: bool = True

    @property
    def found(self) -> bool:
        """Whether there is a camera, be it under another name."""
        return bool(self.publishers or self.similar or self.other_transport)

    @property
    def unheard(self) -> list[PublisherSeen]:
        """Publishers that nothing will come from, however long one waits."""
        return [each for each in self.publishers if each.fault or each.type != self.type]


class MixedSources:
    """
    Whether the messages of an input come from several publishers in turn.

    Two cameras on one topic, or a bag beside a driver, give depth that is plausible and wrong: a
    left image of one may pair up with a right image of the other. That there are several
    publishers proves nothing, as DDS believes in a dead one for seconds: that the numbers which
    each gives to its messages fall back again and again does.
    """

    def __init__(self) -> None:
        self._newest: int | None = None
        self._turns = Recent()

    def watched(self, callback: Callable[[Any], None]) -> Callable[[Any, Mapping[str, Any]], None]:
        """What to subscribe with: notes the number of a message, then calls callback with it."""

        def take(message: Any, info: Mapping[str, Any]) -> None:
            self.note(info.get('publication_sequence_number'))
            callback(message)

        return take

    def note(self, number: int | None) -> None:
        """Take the number that its publisher gave to a message; None where there is none."""
        if number is None or number == UNSUPPORTED:
            return
        if self._newest is not None and number <= self._newest:
            self._turns.add()
        self._newest = number

    @property
    def mixed(self) -> bool:
        """Whether several publishers sent in the last seconds."""
        return self._turns.total >= FEWEST_TURNS


def explain_mixed(topic: str, nodes: list[str]) -> str:
    """Say that the publishers on a topic, by the names of their nodes, send in turn."""
    return (
        f'{len(nodes)} publishers send on {topic} in turn ({", ".join(sorted(nodes))}), so that '
        'what belongs to different cameras mixes and depth may be wrong: stop all but one, or '
        'remap'
    )
