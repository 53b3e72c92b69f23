# SPDX-License-Identifier: Apache-2.0
"""When to try again to load what could not be loaded: it may turn up without anybody telling."""

from __future__ import annotations

from vizion3d_ros.contracts.errors import DownloadError

LEAST_SECONDS, MOST_SECONDS = 1.0, 10.0
FACTOR = 4.0  # so many times as long as the last try took


def pause_after(error: Exception, took: float) -> float:
    """Seconds before the next try, after one that took so long: servers are not asked often."""
    if isinstance(error, DownloadError):
        return MOST_SECONDS
    return min(MOST_SECONDS, max(LEAST_SECONDS, FACTOR * took))
