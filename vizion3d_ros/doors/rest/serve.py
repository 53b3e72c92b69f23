# SPDX-License-Identifier: Apache-2.0
"""
The REST server as a command.

    vizion3d-serve-rest                                        both features, on 127.0.0.1:8000
    vizion3d-serve-rest --stereo_model opencv-sgbm             stereo alone, without weights

Stops on SIGTERM and SIGINT after what it has accepted. Exits with 1 and a reason if it cannot
serve, with 2 if the command line cannot be understood.
"""

from __future__ import annotations

import logging
import resource
import socket
from argparse import Namespace
from typing import TYPE_CHECKING

from vizion3d_ros.doors.arguments import FEATURES, REST, parse
from vizion3d_ros.doors.start import start

if TYPE_CHECKING:
    from vizion3d_ros.doors.depth_worker import DepthWorker

MOST_FILES = 1 << 16  # open at once; each connection is one
QUEUE = 2048  # connections that the system holds until they are taken

logger = logging.getLogger('vizion3d_ros.doors')


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to stop, and exit."""
    start(REST, parse(REST, arguments), _serve)


def _serve(worker: DepthWorker, asked: Namespace) -> None:
    with _bound(asked) as listener:
        worker.preload()
        _answer(worker, asked, listener)


def _bound(asked: Namespace) -> socket.socket:
    """Take the address, before a model is loaded in vain; nobody can connect yet."""
    from vizion3d_ros.contracts.errors import DepthError

    family = socket.AF_INET6 if ':' in asked.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((asked.host, asked.port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise DepthError(
            f'cannot listen on {asked.host}:{asked.port}: {error}; choose another --host or --port'
        ) from error
    return listener


def _answer(worker: DepthWorker, asked: Namespace, listener: socket.socket) -> None:
    """Serve until a signal; what was accepted is answered first."""
    import uvicorn

    from vizion3d_ros.doors.rest.app import make_app
    from vizion3d_ros.doors.rest.limits import PatientProtocol

    features = [name for name in FEATURES if getattr(asked, name)]
    app = make_app(worker, features, asked.deadline)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=PatientProtocol,
            ws='none',
            log_config=None,
            access_log=False,
            server_header=False,
        )
    )
    _allow_many_files()
    listener.listen(QUEUE)
    host, port = listener.getsockname()[:2]
    shown = f'[{host}]' if ':' in host else host
    logger.info('listening on http://%s:%d, with a page; its description on /docs', shown, port)
    server.run([listener])


def _allow_many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = MOST_FILES if most == resource.RLIM_INFINITY else min(MOST_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))


if __name__ == '__main__':
    main()
