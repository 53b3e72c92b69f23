# SPDX-License-Identifier: Apache-2.0
"""Time that goes back, told as often as somebody wants to read."""

from __future__ import annotations

import logging

from vizion3d_ros.incoming.input_stats import Recent

MOST_TOLD = 3  # in a few seconds; two sources on one topic bring one with every image

logger = logging.getLogger(__name__)


class TimeJumps:
    """Logs that time went back, and counts how often it did in the last seconds."""

    def __init__(self) -> None:
        self._recent = Recent()

    @property
    def count(self) -> int:
        """How often in the last seconds."""
        return self._recent.total

    def note(self, text: str) -> None:
        """Log what happened, unless that happens all the time."""
        self._recent.add()
        if self.count <= MOST_TOLD:
            logger.info('%s', text)
