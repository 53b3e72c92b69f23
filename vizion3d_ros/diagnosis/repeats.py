# SPDX-License-Identifier: Apache-2.0
"""A camera that sends the same picture under new stamps."""

from __future__ import annotations

from vizion3d_ros.diagnosis.views import Pixels

FEWEST_REPEATS = 2
LEAST_CHANGE = 0.02  # share of the pixels; less may be a thing that only one camera sees


class Repeats:
    """What has become of one camera's picture from look to look."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self._last: Pixels | None = None
        self._since = 0.0
        self.count = 0
        self.changes = 0

    def update(self, sampled: Pixels, now: float) -> None:
        """Compare the pixels, uint8 (h, w), with those before; now: seconds."""
        last, self._last = self._last, sampled
        changed = 1.0
        if last is not None and last.shape == sampled.shape:
            changed = float((last != sampled).mean())
        if changed:
            self.count, self._since = 0, now
        else:
            self.count += 1
        self.changes = self.changes + 1 if changed >= LEAST_CHANGE else 0

    def seconds(self, now: float) -> float:
        """For how long the picture has been the same."""
        return now - self._since


def frozen_side(left: Repeats, right: Repeats) -> str:
    """
    Which side repeats itself while the other changes, 'left' or 'right'; '' if none does.

    Two that repeat are a still picture played again, or a simulation that stands.
    """
    for side, one, other in (('left', left, right), ('right', right, left)):
        if one.count >= FEWEST_REPEATS and other.changes >= FEWEST_REPEATS:
            return side
    return ''
