# SPDX-License-Identifier: Apache-2.0
"""Sparse depth as it arrives, and for every image the message nearest to it in time."""

from __future__ import annotations

import math
import time
from collections import deque

from sensor_msgs.msg import Image, PointCloud2

from vizion3d_ros.incoming.sync import stamp_to_ns

KEPT = 10  # images may take longer to arrive than points do

SparseMessage = PointCloud2 | Image


class SparseInput:
    """
    Keeps the newest messages; fed by the executor thread, counters may be read from any.

    received: messages. used: images that had one. offset: seconds, image - newest message, as it
    arrived. unmatched: messages that arrived since the last one that fitted an image.
    """

    def __init__(self) -> None:
        self.received = self.used = self.unmatched = 0
        self.offset = math.nan
        self.arrived = -math.inf  # time.monotonic()
        self._kept: deque[SparseMessage] = deque(maxlen=KEPT)

    def add(self, message: SparseMessage, image_ns: int | None) -> None:
        """Take a message; image_ns: stamp of the newest image, None before the first."""
        self.received += 1
        self.unmatched += 1
        self.arrived = time.monotonic()
        self.offset = math.nan if image_ns is None else _offset(image_ns, message)
        self._kept.append(message)

    def reset(self) -> None:
        """Drop what is kept; counters stay."""
        self._kept.clear()

    def restart(self) -> None:
        """Drop what is kept, and count from now on."""
        self.reset()
        self.received = self.used = self.unmatched = 0

    def near(self, image_ns: int, max_offset: float) -> SparseMessage | None:
        """Find the message nearest to an image, at most max_offset seconds away."""
        kept = self._kept
        nearest = min(kept, key=lambda message: abs(_offset(image_ns, message)), default=None)
        if nearest is None:
            return None
        if math.isnan(self.offset):
            self.offset = _offset(image_ns, kept[-1])
        if abs(_offset(image_ns, nearest)) > max_offset:
            return None
        self.used += 1
        self.unmatched = 0
        return nearest

    def explain(self, max_offset: float) -> str:
        """Say why the newest messages fitted no image."""
        return (
            f'{self.received} messages of sparse depth came, the newest '
            f'{time.monotonic() - self.arrived:.1f} s ago and {self.offset:+.3f} s off the image '
            f'of that moment (image - sparse), more than sparse_depth.max_offset of '
            f'{max_offset:g} s: check the clocks and that it still comes, or raise it'
        )


def _offset(image_ns: int, message: SparseMessage) -> float:
    return (image_ns - stamp_to_ns(message)) / 1e9
