# SPDX-License-Identifier: Apache-2.0
"""The services of a depth node: one-shot requests, and snapshots of what it sees."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from vizion3d_interfaces.srv import SaveSnapshot
from vizion3d_ros.contracts.commands import Output
from vizion3d_ros.contracts.errors import BackendError, InputError
from vizion3d_ros.contracts.settings.node_settings import StreamSettings
from vizion3d_ros.requests.permissions import permitted_folder
from vizion3d_ros.ros.health.status import Components
from vizion3d_ros.ros.serving.depth_services import DepthService
from vizion3d_ros.ros.serving.server import ServiceServer
from vizion3d_ros.ros.serving.snapshots import PATIENCE, Snapshots, save


class NodeServices:
    """Serves for the life of the node; while it is not configured the answer says so."""

    def __init__(
        self,
        server: ServiceServer,
        kind: type[DepthService[Any, Any]],
        components: Callable[[], Components | None],
        settings: Callable[[], StreamSettings],
        on_wanted: Callable[[], None] | None,
    ) -> None:
        """
        Offer the node's kind of request, and snapshots.

        components() gives what a configured node has, else None; on_wanted() opens its inputs,
        None: there are no snapshots.
        """
        self._components = components
        self._settings = settings
        self._snapshots = Snapshots()
        server.offer(kind.TYPE, kind.NAME, self._on_request)
        if on_wanted is not None:
            self._on_wanted = on_wanted
            server.offer(SaveSnapshot, 'save_snapshot', self._on_snapshot)

    @property
    def want_frame(self) -> bool:
        """Whether a frame is needed, even if no topic has a listener."""
        return self._snapshots.wanted and self._active

    def feed(self, frame: Any, components: Components) -> None:
        """Answer the snapshots that wait, a frame being there."""
        self._snapshots.feed(
            components.worker, lambda request: self._save(components, frame, request)
        )

    def expire(self, reason: str) -> None:
        """Answer the snapshots that have waited too long, or all if no frame will come."""
        if self._active:
            self._snapshots.expire(reason, PATIENCE)
        else:
            self._snapshots.expire('the node was deactivated or paused', 0.0)

    def give_up(self) -> None:
        """Answer all snapshots that wait: no frame will come."""
        self._snapshots.expire('the node was stopped', 0.0)

    @property
    def _active(self) -> bool:
        components = self._components()
        return components is not None and components.outputs.enabled

    def _on_request(self, request: Any) -> Future[Any]:
        components = self._configured()
        return components.worker.call(lambda: components.service(request))

    def _on_snapshot(self, request: SaveSnapshot.Request) -> Future[Any]:
        self._configured()
        if not self._active:
            raise BackendError(
                'the node is not active: it takes images after `activate`, and after a pause once '
                '~/set_enabled says so'
            )
        permitted_folder(request.directory, self._settings().requests.snapshot_dirs)
        outcome = self._snapshots.ask(request)
        self._on_wanted()
        return outcome

    def _configured(self) -> Components:
        components = self._components()
        if components is None:
            raise BackendError(
                'the node is not configured: it answers after `configure`, or, where it was shut '
                'down, once its process was started anew'
            )
        return components

    def _save(
        self, components: Components, frame: Any, request: SaveSnapshot.Request
    ) -> SaveSnapshot.Response:
        """Compute all there is of a frame and write it; runs in the worker."""
        settings, processor = self._settings(), components.processor
        decoded = processor.decode(frame, settings, frozenset(Output))
        if decoded is None:
            raise InputError('the calibration is unusable: see the log or diagnostics')
        result = processor.pipeline.run(decoded.command)  # beside the stream, whose scale stays
        answer = processor.answer(frame, decoded, settings, result)
        return save(request, settings.requests.snapshot_dirs, decoded, answer)
