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
import os
import resource
import signal
import socket
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, NoReturn

from vizion3d_ros.doors.arguments import REST, parse

if TYPE_CHECKING:
    from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
    from vizion3d_ros.doors.depth_worker import DepthWorker

PIP = 'python3 -m pip install "vizion3d_ros[rest]"'
MOST_FILES = 1 << 16  # open at once; each connection is one
CLOSE_S = 5.0
QUEUE = 2048  # connections that the system holds until they are taken

logger = logging.getLogger('vizion3d_ros.doors')


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to stop, and exit."""
    asked = parse(arguments)
    logging.basicConfig(level=logging.ERROR, format='%(message)s', stream=sys.stderr)
    logging.getLogger('vizion3d_ros').setLevel(logging.INFO)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    # Spinning threads make a network ten times slower where a core is taken; read by torch.
    os.environ.setdefault('OMP_WAIT_POLICY', 'passive')
    try:
        sys.exit(_serve(asked))
    except ModuleNotFoundError as error:
        sys.exit(f'{REST}: {error}; {PIP}')


def _serve(asked: Namespace) -> int:
    from pydantic import ValidationError

    from vizion3d_ros.contracts.errors import DepthError, explain
    from vizion3d_ros.doors.depth_worker import DepthWorker

    try:
        worker = DepthWorker(_settings(asked), asked.places)
        with _bound(asked) as listener:
            worker.preload()
            _answer(worker, asked, listener)
    except (DepthError, ValidationError) as error:
        print(f'{REST}: {explain(error)}', file=sys.stderr)
        return 1
    return 0


def _settings(asked: Namespace) -> ServiceSettings:
    """What the command line says, in the words of the node that answers requests."""
    from vizion3d_ros.contracts.mono_request import DEFAULT_MONO_BACKEND
    from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
    from vizion3d_ros.contracts.stereo_request import DEFAULT_STEREO_BACKEND, OPENCV_SGBM

    preload = {(True, True): 'both', (True, False): 'stereo', (False, True): 'mono'}
    sgbm = asked.stereo_model == OPENCV_SGBM
    return ServiceSettings.model_validate(
        {
            'device': asked.device,
            'preload': preload.get((bool(asked.stereo_model), bool(asked.depth_model)), 'nothing'),
            'backend': 'sgbm' if sgbm else 's2m2',
            's2m2': {
                'model_backend': '' if sgbm else asked.stereo_model or DEFAULT_STEREO_BACKEND
            },
            'depth_anything_v2': {'model_backend': asked.depth_model or DEFAULT_MONO_BACKEND},
            'requests': {
                name: getattr(asked, name)
                for name in ('max_pixels', 'max_bytes', 'allowed_models')
            },
        }
    )


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

    names = ('depth_estimation', 'stereo_depth')
    app = make_app(worker, [name for name in names if getattr(asked, name)], asked.deadline)
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
    logger.info('listening on http://%s:%d, its description on /docs', shown, port)
    try:
        server.run([listener])
    finally:
        _leave(worker)


def _allow_many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = MOST_FILES if most == resource.RLIM_INFINITY else min(MOST_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))


def _leave(worker: DepthWorker) -> None:
    """End the process although a matcher is still at work; C++ would wait for it at exit."""
    if not worker.close(CLOSE_S):
        sys.stderr.flush()
        os._exit(0)


def _stop(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == '__main__':
    main()
