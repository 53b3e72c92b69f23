# SPDX-License-Identifier: Apache-2.0
"""
A server with a matcher that answers when a line comes to its standard input.

    held_server.py rest|grpc FLAGS
"""

import sys

from known_answers import KnownMatcher

from vizion3d_ros.doors.grpc import serve as grpc
from vizion3d_ros.doors.rest import limits
from vizion3d_ros.doors.rest import serve as rest
from vizion3d_ros.engine import registry


class HeldMatcher(KnownMatcher):
    """Says that it was asked, and waits."""

    def __init__(self):
        super().__init__(10.0)

    def match(self, left, right, rig, settings):
        print('matching', file=sys.stderr, flush=True)
        sys.stdin.readline()
        return super().match(left, right, rig, settings)


if __name__ == '__main__':
    limits.SILENCE_S = 1.0
    registry.STEREO_BACKENDS['sgbm'] = '__main__:HeldMatcher'
    {'rest': rest, 'grpc': grpc}[sys.argv[1]].main(sys.argv[2:])
