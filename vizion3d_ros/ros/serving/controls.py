# SPDX-License-Identifier: Apache-2.0
"""What an operator does to a node: `~/reset` and `~/set_enabled`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from std_srvs.srv import SetBool, Trigger

from vizion3d_ros.ros.serving.server import ServiceServer


def offer_reset(server: ServiceServer, restart: Callable[[], str]) -> None:
    """Offer `~/reset`; restart() drops all that waits and counts anew, and says what it did."""
    server.offer(
        Trigger, 'reset', lambda _: _done(Trigger.Response(success=True, message=restart()))
    )


def offer_set_enabled(server: ServiceServer, set_enabled: Callable[[bool], str]) -> None:
    """Offer `~/set_enabled`; set_enabled(wanted) pauses or resumes, and says which."""
    server.offer(
        SetBool,
        'set_enabled',
        lambda request: _done(SetBool.Response(success=True, message=set_enabled(request.data))),
    )


def _done(response: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(response)
    return future
