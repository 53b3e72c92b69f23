# SPDX-License-Identifier: Apache-2.0
"""What the server does, for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Metrics:
    """Counts the requests of one server by route and status."""

    def __init__(self, taken: Callable[[], int]) -> None:
        """taken() tells how many requests are on their way."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            'vizion3d_requests', 'Requests', ['route', 'status'], registry=self._registry
        )
        self._seconds = Histogram(
            'vizion3d_request_seconds',
            'From the head of a request to the end of its answer',
            ['route'],
            registry=self._registry,
        )
        gauge = Gauge(
            'vizion3d_requests_on_their_way', 'Requests with a place', registry=self._registry
        )
        gauge.set_function(taken)

    def text(self) -> bytes:
        """Give all numbers in the format of Prometheus."""
        return generate_latest(self._registry)

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)


class Counted:
    """Counts what an app answers."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: frozenset[str]) -> None:
        """routes: paths to count; a client must not be able to make up more of them."""
        self._app = app
        self._metrics = metrics
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at the status of its answer."""
        if scope.get('path') not in self._routes:
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def seen(message: Message) -> None:
            nonlocal status
            status = message.get('status', status)
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            self._metrics.count(scope['path'], status, time.perf_counter() - started)
