# SPDX-License-Identifier: Apache-2.0
"""
A server with a matcher that answers when a line comes to its standard input.

    held_server.py rest|grpc FLAGS

It waits for slow clients for a second only.
"""

import sys

from known_answers import KnownMatcher

from vizion3d_ros.engine import registry


class HeldMatcher(KnownMatcher):
    """Says that it was asked, and waits."""

    def __init__(self):
        super().__init__(10.0)

    def match(self, left, right, rig, settings):
        print('matching', file=sys.stderr, flush=True)
        sys.stdin.readline()
        return super().match(left, right, rig, settings)


def rest(flags):
    from vizion3d_ros.doors.rest import limits, serve

    limits.SILENCE_S = 1.0
    serve.main(flags)


def grpc(flags):
    from vizion3d_ros.doors.grpc import door, serve, service

    service.TRANSFER_S = 1.0
    door.OPTIONS['grpc.server_handshake_timeout_ms'] = 1000
    serve.main(flags)


if __name__ == '__main__':
    registry.STEREO_BACKENDS['sgbm'] = '__main__:HeldMatcher'
    {'rest': rest, 'grpc': grpc}[sys.argv[1]](sys.argv[2:])
