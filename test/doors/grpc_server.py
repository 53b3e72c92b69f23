# SPDX-License-Identifier: Apache-2.0
"""A gRPC server in a process of its own, and a channel to it."""

from functools import cached_property

from grpc_client import channel_to, stub_of
from served import Served

MODULE = ['-m', 'vizion3d_ros.doors.grpc.serve']


class GrpcServer(Served):
    """The gRPC server, or a script that starts it."""

    def __init__(self, flags, script=MODULE, **pipes):
        super().__init__(script, flags, **pipes)

    @cached_property
    def channel(self):
        return channel_to(self.port)

    @cached_property
    def lifting(self):
        return stub_of(self.channel)

    def kill(self):
        self.channel.close()
        super().kill()
