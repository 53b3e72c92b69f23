# SPDX-License-Identifier: Apache-2.0
"""What came on which topic and when, with a bounded number of frames kept for scoring."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from vizion3d_ros.contracts.topic_names import (
    CONFIDENCE,
    DEPTH,
    DISPARITY,
    LEFT,
    RELATIVE,
    TRUE_DEPTH,
    TRUE_DISPARITY,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Frame = dict[str, NDArray[Any]]

FROM_SOURCE = (LEFT, TRUE_DEPTH, TRUE_DISPARITY)
FROM_NODE = (DEPTH, DISPARITY, CONFIDENCE)
ANSWERS = (DEPTH, DISPARITY, RELATIVE)
PICTURED = (LEFT, CONFIDENCE, RELATIVE)  # drawn, but not scored

MOST_KEPT = 40
KEPT_PIXELS = 12_000_000
RECENT = 6


class Recording:
    """
    The messages of one run, filed by the stamp of the frame they belong to.

    frames: number of frames of interest; stamps beyond that many are ignored, 0 = no limit.

    Numbers of all messages are kept, but arrays only of at most MOST_KEPT frames (and at most
    KEPT_PIXELS pixels per topic), evenly spread over the run, and of the newest frames. best is
    the newest of those on most topics, best_ns its stamp.
    """

    def __init__(self, frames: int = 0) -> None:
        """Start empty."""
        self.frames = frames
        self.ages_ns: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self.first_ns = 0
        self.last_ns = 0
        self.kept: dict[int, Frame] = {}
        self.best: Frame = {}
        self.best_ns = 0
        self._reported_lost: defaultdict[str, int] = defaultdict(int)
        self._order: dict[int, int] = {}
        self._recent: dict[int, Frame] = {}
        self._stride = 1

    def add(
        self, topic: str, stamp_ns: int, received_ns: int, values: NDArray[Any] | None = None
    ) -> bool:
        """
        File one message; False if its frame is beyond the frames of interest.

        values: what it holds, (H, W) or (H, W, 3), as its topic has it; None keeps no array.
        """
        if not self._accept(stamp_ns):
            return False
        self.ages_ns[topic][stamp_ns] = received_ns - stamp_ns
        if topic == self.answer_topic:
            self.first_ns = self.first_ns or received_ns
            self.last_ns = received_ns
        if values is not None:
            self._keep(topic, stamp_ns, values)
        return True

    def add_lost(self, topic: str, count: int) -> None:
        """Note that the middleware reported this many lost messages of a topic."""
        self._reported_lost[topic] += count

    @property
    def answer_topic(self) -> str:
        """The output that counts as the answer: the first of depth, disparity, relative depth."""
        return next((topic for topic in ANSWERS if self.ages_ns[topic]), DEPTH)

    @property
    def answer_ages_ns(self) -> list[int]:
        """Receive time minus header stamp of every answer, in nanoseconds."""
        return list(self.ages_ns[self.answer_topic].values())

    @property
    def frames_seen(self) -> int:
        """Number of frames of which anything came."""
        return len(self._order)

    @property
    def complete(self) -> bool:
        """Whether all frames of interest came with every full-rate topic seen so far."""
        topics = [t for t in (*FROM_SOURCE, *FROM_NODE, RELATIVE) if self.ages_ns[t]]
        answered = len(self.answer_ages_ns)
        return 0 < self.frames <= answered and all(
            len(self.ages_ns[topic]) == self.frames for topic in topics
        )

    def received(self) -> dict[str, int]:
        """Count the frames received on each topic that had any."""
        return {topic: len(ages) for topic, ages in self.ages_ns.items() if ages}

    def lost(self) -> dict[str, int]:
        """
        Count the messages that were sent and did not arrive, for each topic that had any.

        A source topic should have a message for every frame that was seen at all, a full-rate
        output one for every frame with at least one output. What is missing counts as lost, or
        what the middleware reports for the topic where that is more (a frame lost on all topics
        leaves no other trace); the two are never added. Frames that the node skipped because it
        was busy are not lost messages, nor is depth beside a relative answer whose scale was not
        known: nobody sent them.
        """
        measured = set().union(*(self.ages_ns[topic] for topic in FROM_NODE))
        expected = {
            **dict.fromkeys(FROM_SOURCE, self.frames_seen),
            **dict.fromkeys(FROM_NODE, len(measured)),
            RELATIVE: len(measured.union(self.ages_ns[RELATIVE])),
        }
        return {
            topic: max(expected.get(topic, count) - count, self._reported_lost[topic])
            for topic, count in self.received().items()
        }

    def _accept(self, stamp_ns: int) -> bool:
        if stamp_ns in self._order:
            return True
        if self.frames and len(self._order) >= self.frames:
            return False
        self._order[stamp_ns] = len(self._order)
        return True

    def _keep(self, topic: str, stamp_ns: int, values: NDArray[Any]) -> None:
        recent = self._recent.setdefault(stamp_ns, {})
        recent[topic] = values
        if len(recent) >= len(self.best):
            self.best, self.best_ns = recent, stamp_ns
        if len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
        if topic not in PICTURED and self._order[stamp_ns] % self._stride == 0:
            self.kept.setdefault(stamp_ns, {})[topic] = values
            self._thin(values.shape[0] * values.shape[1])

    def _thin(self, pixels: int) -> None:
        limit = max(1, min(MOST_KEPT, KEPT_PIXELS // pixels))
        while len(self.kept) > limit:
            self._stride *= 2
            self.kept = {s: f for s, f in self.kept.items() if self._order[s] % self._stride == 0}
