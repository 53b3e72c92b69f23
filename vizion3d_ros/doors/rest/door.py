# SPDX-License-Identifier: Apache-2.0
"""The REST server on its address."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn

from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.doors.door import allow_many_files, bound, cannot_listen, shown
from vizion3d_ros.doors.rest.app import make_app
from vizion3d_ros.doors.rest.limits import PatientProtocol

QUEUE = 2048  # connections that the system holds until they are taken

logger = logging.getLogger('vizion3d_ros.doors')


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to who opens the door: at a second one uvicorn drops what was accepted."""
        yield


class RestDoor:
    """Serves the routes of the features; see doors/door.py."""

    def __init__(self, worker: DepthWorker, features: Sequence[str], host: str, port: int) -> None:
        """Take the address; DepthError if it cannot be had."""
        self._listener = bound(host, port)
        self._place = shown(*self._listener.getsockname()[:2])
        self.address = f'http://{self._place}'
        self._server = _Server(
            uvicorn.Config(
                make_app(worker, features),
                http=PatientProtocol,
                ws='none',
                log_config=None,
                log_level=logging.ERROR,
                access_log=False,
                server_header=False,
            )
        )

    def serve(self) -> None:
        """Answer until told to stop; DepthError if somebody else listens there by now."""
        allow_many_files()
        try:
            self._listener.listen(QUEUE)
        except OSError as error:  # two may have taken one address before either of them listens
            self._listener.close()
            raise cannot_listen(self._place, error) from error
        logger.info('listening on %s, with a page; its description on /docs', self.address)
        self._server.run([self._listener])

    def stop(self) -> None:
        """Have serve() end."""
        self._server.should_exit = True
