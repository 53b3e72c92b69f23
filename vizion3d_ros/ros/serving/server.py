# SPDX-License-Identifier: Apache-2.0
"""
Service requests answered by the worker thread while the executor goes on with other things.

    request (executor) ─ worker, between frames ─ response (executor)
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, cast

from pydantic import ValidationError
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.task import Future as RosFuture

from vizion3d_ros.contracts.errors import DepthError, explain, sendable
from vizion3d_ros.ros.health.diagnostics import OK, Task
from vizion3d_ros.ros.throttle import Throttle

# How many requests may come while the executor is busy: the default of 10 loses some of a burst,
# and then their callers wait for ever. A caller that dies costs the memory of as many responses.
QUEUE = 32

Begin = Callable[[Any], 'Future[Any]']

logger = logging.getLogger(__name__)


class ServiceServer:
    """
    Offers services of a node; every request gets an answer, also one that fails.

    They stay for the life of the node: a response may still be on its way when a transition ends.
    """

    def __init__(self, node: Node) -> None:
        """Offer nothing yet."""
        self._node = node
        # Requests wait for the worker inside their callbacks, so these must not exclude others.
        self._group = ReentrantCallbackGroup()
        self._line: deque[RosFuture] = deque()  # of those whose job is done, the first one first
        self._throttle = Throttle()
        self._counts = {'answered': 0, 'failed': 0, 'waiting': 0}

    def offer(self, kind: type, name: str, begin: Begin) -> None:
        """
        Serve `~/name`; the response has the fields success and message, which an error fills.

        begin(request) runs in the executor and gives a future of the response, or raises.
        """

        async def serve(request: Any, response: Any) -> Any:
            self._counts['waiting'] += 1
            try:
                response = await self._waited(begin(request))
                self._counts['answered'] += 1
            except Exception as error:  # whatever goes wrong, the caller hears of it
                self._counts['failed'] += 1
                self._report(name, error)
                response.success, response.message = False, sendable(explain(error))
            finally:
                self._counts['waiting'] -= 1
            return response

        service = self._node.create_service(
            kind,
            f'~/{name}',
            serve,
            qos_profile=QoSProfile(depth=QUEUE),
            callback_group=self._group,
        )
        service.send_response = self._sender(name, service.send_response)

    def restart(self) -> None:
        """Count from now on; those that wait still do."""
        self._counts |= {'answered': 0, 'failed': 0}

    def task(self) -> Task:
        """Report how many requests there were; a failed one is the caller's to look after."""
        return OK, f'{self._counts["answered"]} requests answered', dict(self._counts)

    async def _waited(self, job: Future[Any]) -> Any:
        """
        Give the result of a job without holding the executor up.

        Those whose jobs are done go on in that order; rclpy by itself takes the newest first.
        """
        executor = cast(Executor, self._node.executor)  # it runs this
        done, gone = RosFuture(executor=executor), RosFuture(executor=executor)

        def wake(_: object) -> None:
            self._line.append(gone)
            done.set_result(None)
            executor.wake()

        job.add_done_callback(wake)
        await done
        while self._line[0] is not gone:
            await self._line[0]
        self._line.popleft()
        gone.set_result(None)
        executor.wake()
        return job.result()

    def _sender(self, name: str, send: Callable[..., None]) -> Callable[..., None]:
        """Send as `send` does, but a response that cannot be sent must not end the node."""

        def send_or_report(response: Any, header: Any) -> None:
            try:
                send(response, header)
            except Exception as error:  # whatever the middleware comes up with
                if self._node.context.ok():
                    logger.error('%s: the response cannot be sent: %s', name, error)

        return send_or_report

    def _report(self, name: str, error: Exception) -> None:
        text = sendable(explain(error))
        if not self._throttle.allows(f'{name}: {text}'):
            return
        if isinstance(error, (DepthError, ValidationError, MemoryError)):
            logger.warning('%s refused: %s', name, text)
        else:
            logger.error('%s failed: %s', name, text, exc_info=error)
