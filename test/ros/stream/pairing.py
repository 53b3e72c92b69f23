# SPDX-License-Identifier: Apache-2.0
"""Cameras of stamps alone, and the pairs that become of them."""

from scene import stamped
from sensor_msgs.msg import Image

from vizion3d_ros.contracts.settings.stereo_settings import SyncSettings
from vizion3d_ros.incoming.sync import StereoSync, stamp_to_ns
from vizion3d_ros.ros.stream.filters import FilteredPairs

MS = 1_000_000
SECOND = 1000 * MS
PERIOD = SECOND // 30
START = 1_700_000_000 * SECOND
FRAMES = [START + n * PERIOD for n in range(300)]


class Pairing:
    """A synchroniser, the stamps of the pairs it made, and cameras to feed it."""

    def __init__(self, **settings):
        self.pairs = []
        self.fail_at = set()
        self.jumps = 0
        self.sync = StereoSync(
            SyncSettings(**settings), self._on_pair, self._on_jump, FilteredPairs
        )

    def _on_pair(self, left, right):
        self.pairs.append((stamp_to_ns(left), stamp_to_ns(right)))
        if len(self.pairs) - 1 in self.fail_at:
            raise RuntimeError('the consumer broke')

    def _on_jump(self):
        self.jumps += 1

    def left(self, *stamps):
        for stamp in stamps:
            self.sync.add_left(stamped(Image, stamp))

    def right(self, *stamps):
        for stamp in stamps:
            self.sync.add_right(stamped(Image, stamp))

    def play(self, lefts, rights, right_first=False):
        """Feed both sides in the order of their stamps."""
        events = [(stamp, right_first, self.left) for stamp in lefts]
        events += [(stamp, not right_first, self.right) for stamp in rights]
        for stamp, _, add in sorted(events, key=lambda event: event[:2]):
            add(stamp)

    @property
    def spreads(self):
        return [abs(left - right) for left, right in self.pairs]
