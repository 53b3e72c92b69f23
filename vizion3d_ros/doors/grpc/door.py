# SPDX-License-Identifier: Apache-2.0
"""The gRPC server on its address, with health and reflection."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from vizion3d_ros.contracts.errors import DepthError
from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.doors.door import shown
from vizion3d_ros.doors.grpc.service import SERVICE, make_service

MOST_BYTES = 500 * 2**20  # of a message, either way
SPARE = 8  # calls beside those with a place: health, reflection, and those that are refused
POLL_S = 0.05
OPTIONS = {
    'grpc.max_receive_message_length': MOST_BYTES,
    'grpc.max_send_message_length': MOST_BYTES,
    'grpc.so_reuseport': 0,  # or a second server would take half of the calls
}

logger = logging.getLogger('vizion3d_ros.doors')


class GrpcDoor:
    """Serves the methods of the features; see doors/door.py."""

    def __init__(self, worker: DepthWorker, features: Sequence[str], host: str, port: int) -> None:
        """Take the address; DepthError if it cannot be had."""
        self._worker = worker
        calls = worker.settings.web.places + SPARE
        self._server = grpc.server(
            ThreadPoolExecutor(calls), options=list(OPTIONS.items()), maximum_concurrent_rpcs=calls
        )
        self._server.add_generic_rpc_handlers((make_service(worker, features),))
        _add_views(self._server)
        self.address = shown(host, _bind(self._server, shown(host, port)))
        self._told = Event()

    def serve(self) -> None:
        """Answer until told to stop."""
        self._server.start()
        logger.info('listening on %s', self.address)
        self._told.wait()
        ended = self._server.stop(self._worker.settings.web.deadline)
        while self._worker.taken and not ended.wait(POLL_S):
            pass
        self._server.stop(None).wait()  # those who watch its health would stay for ever

    def stop(self) -> None:
        """Have serve() end."""
        self._told.set()


def _add_views(server: grpc.Server) -> None:
    healthy = health.HealthServicer()
    healthy.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)


def _bind(server: grpc.Server, address: str) -> int:
    try:
        port: int = server.add_insecure_port(address)
    except RuntimeError as error:  # it says nothing more
        raise DepthError(
            f'cannot listen on {address}, which is in use or not of this machine: '
            'choose another host or port'
        ) from error
    return port
