# SPDX-License-Identifier: Apache-2.0
"""
The gRPC server as a command.

    vizion3d-serve-grpc                                        both methods, on 127.0.0.1:50051
    vizion3d-serve-grpc --stereo_model opencv-sgbm             stereo alone, without weights

Stops on SIGTERM and SIGINT after what it has accepted. Exits with 1 and a reason if it cannot
serve, with 2 if the command line cannot be understood.
"""

from __future__ import annotations

import logging
import os
import signal
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

from vizion3d_ros.doors.arguments import FEATURES, GRPC, parse
from vizion3d_ros.doors.start import start

if TYPE_CHECKING:
    import grpc

    from vizion3d_ros.doors.depth_worker import DepthWorker

MOST_BYTES = 500 * 2**20  # of a message, either way
SPARE = 8  # calls beside those with a place: health, reflection, and those that are refused
OPTIONS = {
    'grpc.max_receive_message_length': MOST_BYTES,
    'grpc.max_send_message_length': MOST_BYTES,
    'grpc.so_reuseport': 0,  # or a second server would take half of the calls
}

logger = logging.getLogger('vizion3d_ros.doors')


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to stop, and exit."""
    os.environ.setdefault('GRPC_VERBOSITY', 'NONE')  # its core would say all once more
    start(GRPC, parse(GRPC, arguments), _serve)


def _serve(worker: DepthWorker, asked: Namespace) -> None:
    """Serve until a signal; what was accepted is answered first."""
    server = _make_server(worker, asked)
    port = _bind(server, asked)
    worker.preload()
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server.start()
    logger.info('listening on %s:%d', asked.host, port)
    stopped.wait()
    server.stop(asked.deadline).wait()


def _make_server(worker: DepthWorker, asked: Namespace) -> grpc.Server:
    import grpc
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection

    from vizion3d_ros.doors.grpc.service import SERVICE, make_service

    calls = asked.places + SPARE
    server = grpc.server(
        ThreadPoolExecutor(calls), options=list(OPTIONS.items()), maximum_concurrent_rpcs=calls
    )
    features = [name for name in FEATURES if getattr(asked, name)]
    server.add_generic_rpc_handlers((make_service(worker, features, asked.deadline),))
    healthy = health.HealthServicer()
    healthy.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return server


def _bind(server: grpc.Server, asked: Namespace) -> int:
    """Take the address, before a model is loaded in vain, and give the port."""
    from vizion3d_ros.contracts.errors import DepthError

    host = f'[{asked.host}]' if ':' in asked.host else asked.host
    try:
        port: int = server.add_insecure_port(f'{host}:{asked.port}')
    except RuntimeError as error:  # it says nothing more
        raise DepthError(
            f'cannot listen on {host}:{asked.port}, which is in use or not of this machine: '
            'choose another --host or --port'
        ) from error
    return port


if __name__ == '__main__':
    main()
