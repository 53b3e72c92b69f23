# SPDX-License-Identifier: Apache-2.0
"""A REST server in a process of its own, to be asked."""

from rest_client import RestClient
from served import Served

MODULE = ['-m', 'vizion3d_ros.doors.rest.serve']


class RestServer(Served, RestClient):
    """The REST server, or a script that starts it."""

    def __init__(self, flags, script=MODULE, **pipes):
        super().__init__(script, flags, **pipes)
