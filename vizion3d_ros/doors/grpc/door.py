# SPDX-License-Identifier: Apache-2.0
"""The gRPC server on its address, with health and reflection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.doors.door import allow_many_files, bound, cannot_listen, shown
from vizion3d_ros.doors.grpc.service import SERVICE, make_service

MOST_BYTES = 500 * 2**20  # of a message, either way
OPTIONS = {
    'grpc.max_receive_message_length': MOST_BYTES,
    'grpc.max_send_message_length': MOST_BYTES,
    'grpc.so_reuseport': 0,  # or a second server would take half of the calls
    'grpc.server_handshake_timeout_ms': 20_000,  # of connections that do not begin
    'grpc.compression_enabled_algorithms_bitset': 1,  # none: a megabyte may hold a gigabyte
}
POLL_S = 0.05

logger = logging.getLogger('vizion3d_ros.doors')


class GrpcDoor:
    """Serves the methods of the features; see doors/door.py."""

    def __init__(self, worker: DepthWorker, features: Sequence[str], host: str, port: int) -> None:
        """Take the address; DepthError if it cannot be had."""
        bound(host, port).close()  # or it says why, which gRPC does not
        self._worker = worker
        self._told = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(_make_server(worker, features))
        self.address = shown(host, _bind(self._server, shown(host, port)))

    def serve(self) -> None:
        """Answer until told to stop."""
        allow_many_files()
        self._loop.run_until_complete(self._serve())  # left open: stop() may come late

    def stop(self) -> None:
        """Have serve() end."""
        self._loop.call_soon_threadsafe(self._told.set)

    async def _serve(self) -> None:
        await self._server.start()
        logger.info('listening on %s', self.address)
        await self._told.wait()
        ended = asyncio.ensure_future(self._server.stop(self._worker.settings.web.deadline))
        while self._worker.taken and not ended.done():
            await asyncio.sleep(POLL_S)
        await self._server.stop(None)  # those who watch its health would stay for ever
        await ended


async def _make_server(worker: DepthWorker, features: Sequence[str]) -> grpc.aio.Server:
    """Make it inside of the loop that runs it."""
    server = grpc.aio.server(options=list(OPTIONS.items()))
    server.add_generic_rpc_handlers((make_service(worker, features),))
    healthy = health.aio.HealthServicer()
    await healthy.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return server


def _bind(server: grpc.aio.Server, address: str) -> int:
    try:
        port: int = server.add_insecure_port(address)
    except RuntimeError as error:
        raise cannot_listen(address, error) from error
    return port
