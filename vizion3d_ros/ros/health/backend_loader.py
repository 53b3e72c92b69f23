# SPDX-License-Identifier: Apache-2.0
"""
The backend of a node and its network, loaded by the worker while the node goes on answering.

    settings ─ follow ─ worker ─ load ─┬─ in force
                                       └─ failed: what was in force stays, or nothing is computed
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Generic, TypeVar

from vizion3d_ros.contracts.errors import explain
from vizion3d_ros.contracts.settings.node_settings import StreamSettings
from vizion3d_ros.ros.health.diagnostics import ERROR, OK, WARN
from vizion3d_ros.ros.health.retry import pause_after
from vizion3d_ros.worker import Worker

TOLD_SECONDS = 60.0  # how long a change that failed stays in the diagnostics

Settings = TypeVar('Settings', bound=StreamSettings)

logger = logging.getLogger(__name__)


class BackendLoader(Generic[Settings]):
    """
    Keeps the backend that the settings name loaded; the old one if that fails.

    `follow` and `attend` are for the executor; the rest for any thread.
    """

    def __init__(
        self,
        worker: Worker[Any],
        load: Callable[[Settings], None],
        on_loaded: Callable[[Settings], None],
    ) -> None:
        """load(settings) runs in the worker and raises if it fails; on_loaded follows there."""
        self._worker = worker
        self._load = load
        self._on_loaded = on_loaded
        self._wanted: Settings | None = None
        self._in_force: Settings | None = None
        self._refused: Settings | None = None
        self._began: float | None = None  # of the load that goes on; time.monotonic()
        self._fault = ''
        self._failed = 0.0  # time.monotonic()
        self._pause = 0.0  # before the next try

    @property
    def is_ready(self) -> bool:
        """Whether a backend is in force."""
        return self._in_force is not None

    @property
    def is_hopeless(self) -> bool:
        """Whether frames would wait in vain: nothing is in force and nothing on its way."""
        return not self.is_ready and self._began is None

    def follow(self, settings: Settings) -> None:
        """Load what the settings name, unless that is in force or on its way."""
        if self._wanted is None or settings.loaded != self._wanted.loaded:
            self._wanted = settings
            self._began = time.monotonic()
            self._worker.load(partial(self._run, settings))

    def attend(
        self, settings: Settings, put_back: Callable[[Settings, Iterable[str]], object]
    ) -> None:
        """Retry what failed; where something else is in force, put back what names that."""
        self._retry(settings)
        if change := self._take_refused():
            refused, in_force = change
            put_back(in_force, {*refused.loaded, *in_force.loaded})

    def _retry(self, settings: Settings) -> None:
        """Try again now and then while nothing is in force."""
        if self.is_hopeless and time.monotonic() - self._failed > self._pause:
            self._wanted = None
            self.follow(settings)

    def usable(self, settings: Settings) -> Settings:
        """The settings, but for the backend and the network those that are in force."""
        loaded = self._in_force.loaded if self._in_force else settings.loaded
        return settings if loaded == settings.loaded else settings.model_copy(update=loaded)

    def _take_refused(self) -> tuple[Settings, Settings] | None:
        """Give what failed since the last call and what is in force instead; None if nothing."""
        refused, self._refused = self._refused, None
        if refused is None or self._in_force is None or refused is not self._wanted:
            return None
        self._wanted = self._in_force
        return refused, self._in_force

    def state(self) -> tuple[bytes, str]:
        """Say what is wrong or on its way, as level and sentence; OK and '' if nothing is."""
        began, wanted = self._began, self._wanted
        if began is not None and wanted is not None:
            what = ' '.join(filter(None, (wanted.backend, wanted.checkpoint)))
            return WARN, f'loading {what} for {time.monotonic() - began:.0f} s'
        if not self.is_ready:
            return ERROR, self._fault
        recent = time.monotonic() - self._failed < TOLD_SECONDS
        return (WARN, self._fault) if self._fault and recent else (OK, '')

    def _run(self, settings: Settings) -> None:
        started = time.monotonic()
        try:
            new = self._in_force is None or settings.loaded != self._in_force.loaded
            if new:
                self._load(settings)
            self._in_force, self._fault = settings, ''
            if new:
                self._on_loaded(settings)
        except Exception as error:  # whatever a driver, a compiler or a checkpoint comes up with
            self._pause = pause_after(error, time.monotonic() - started)
            self._fail(settings, explain(error))
        if settings is self._wanted:
            self._began = None

    def _fail(self, settings: Settings, reason: str) -> None:
        outcome = 'until it can, nothing is computed: put that right, by the parameters or outside'
        if self._in_force is not None:
            kept = f'{self._in_force.backend} {self._in_force.checkpoint}'.strip()
            outcome = f'{kept} stays in use, and the parameters are set back'
        fault = f'{settings.backend} cannot be loaded: {reason}; {outcome}'
        if fault != self._fault:
            logger.error('%s', fault)
        self._fault, self._failed, self._refused = fault, time.monotonic(), settings
        if self._in_force is None:
            self._worker.clear()
