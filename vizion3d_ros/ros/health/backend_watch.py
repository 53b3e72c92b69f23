# SPDX-License-Identifier: Apache-2.0
"""A backend that hangs, or takes far too long: told once, and nobody is left waiting for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from vizion3d_ros.worker import Worker

logger = logging.getLogger(__name__)


class BackendWatch:
    """Looks at the worker now and then, from the executor; loading may take its time."""

    def __init__(
        self, worker: Worker[Any], timeout: Callable[[], float], cure: str = 'restart the node'
    ) -> None:
        """timeout() gives the seconds in force that one job may take; cure: of one that hangs."""
        self._worker = worker
        self._cure = cure
        self._timeout = timeout
        self._job = 0
        self._since = time.monotonic()
        self._told = False

    def look(self) -> str:
        """Say that the backend does not come back, and answer who waits for it; '' if it does."""
        job = self._worker.in_hand
        if job == 0 or job != self._job or self._worker.is_loading:
            self._begin(job)
            return ''
        lasted, timeout = time.monotonic() - self._since, self._timeout()
        if lasted <= timeout:
            return ''
        text = (
            f'the backend has not come back for {lasted:.0f} s, longer than backend_timeout of '
            f'{timeout:g} s: if it hangs, {self._cure}; if it is only slow, raise '
            'backend_timeout or send smaller images'
        )
        self._worker.give_up(text)
        if not self._told:
            logger.error('%s', text)
            self._told = True
        return text

    def _begin(self, job: int) -> None:
        if self._told:
            logger.info('the backend came back after %.0f s', time.monotonic() - self._since)
        self._job, self._since, self._told = job, time.monotonic(), False
