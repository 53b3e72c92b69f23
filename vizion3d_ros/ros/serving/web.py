# SPDX-License-Identifier: Apache-2.0
"""REST and gRPC beside the services of a node, answered by the same worker."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, wait
from threading import Thread

from vizion3d_ros.contracts.errors import DepthError, explain
from vizion3d_ros.contracts.settings.service_settings import DoorSettings, ServiceSettings
from vizion3d_ros.doors.arguments import FEATURES, GRPC, REST, Program
from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.doors.door import Door, open_door
from vizion3d_ros.ros.health.diagnostics import ERROR, OK, Task

AGAIN_S = 2.0

logger = logging.getLogger(__name__)


class WebDoors:
    """
    The doors that the parameters ask for, each served by a thread of its own.

    One that cannot be opened is told, and tried again: the port may be that of a node that ends.
    """

    def __init__(self, worker: DepthWorker, settings: ServiceSettings) -> None:
        """Open what can be opened."""
        wanted = {REST: settings.rest, GRPC: settings.grpc}
        self._wanted = {program: place for program, place in wanted.items() if place.port}
        self._open: dict[Program, tuple[Door, Future[str]]] = {}
        self._failed: dict[Program, str] = {}
        self._worker = worker
        self._due = 0.0
        self.open()

    def open(self) -> None:
        """Open what is not, unless that failed a moment ago."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + AGAIN_S
        for program, (_, ended) in [*self._open.items()]:
            if ended.done():
                del self._open[program]
                self._fail(program, ended.result())
        for program in [each for each in self._wanted if each not in self._open]:
            try:
                self._open[program] = self._opened(program, self._wanted[program])
            except ModuleNotFoundError as error:
                self._fail(program, program.lacks(error))
            except DepthError as error:
                self._fail(program, str(error))
            else:
                self._failed.pop(program, None)

    def task(self) -> Task:
        """Say where they are, or why not."""
        values = {program.extra: door.address for program, (door, _) in self._open.items()}
        failed = '; '.join(self._failed.values())
        return ERROR if failed else OK, failed, values

    def close(self, timeout: float) -> None:
        """
        Take no more requests, close the worker, and let the answers out, each within timeout.

        Who waits for the worker is told to ask again later.
        """
        for door, _ in self._open.values():
            door.stop()
        self._worker.close(timeout)
        wait([ended for _, ended in self._open.values()], timeout)

    def _opened(self, program: Program, place: DoorSettings) -> tuple[Door, Future[str]]:
        door = open_door(program, self._worker, FEATURES, place.host, place.port)
        ended: Future[str] = Future()
        Thread(target=_serve, args=(door, ended), name=program.name, daemon=True).start()
        return door, ended

    def _fail(self, program: Program, why: str) -> None:
        text = f'{program.extra}.port: {why}'
        if self._failed.get(program) != text:
            logger.error('%s', text)
        self._failed[program] = text


def _serve(door: Door, ended: Future[str]) -> None:
    """Serve in a thread of its own; ended gets why that is over."""
    why = 'the server ended by itself'
    try:
        door.serve()
    except Exception as error:  # whatever its libraries come up with
        why = explain(error)
    finally:
        ended.set_result(why)
