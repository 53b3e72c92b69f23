# SPDX-License-Identifier: Apache-2.0
"""The state of a node, told in the log and on /diagnostics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from rclpy.impl.rcutils_logger import RcutilsLogger

from vizion3d_ros.ros.health.diagnostics import ERROR, OK, Task
from vizion3d_ros.ros.throttle import Throttle

STALL_SECONDS = 1.0  # twice the time from poll to poll


class Reports:
    """Logs what is not OK, each thing at once and then every ten seconds."""

    def __init__(self, logger: RcutilsLogger, is_logged: Callable[[str, str], bool]) -> None:
        """is_logged(task, text): whether that text has its line in the log already."""
        self._logger = logger
        self._is_logged = is_logged
        self._throttle = Throttle()
        self._polled = time.monotonic()

    def come_late(self) -> bool:
        """Whether this poll comes far too late, as after a node was stopped or starved."""
        since, self._polled = self._polled, time.monotonic()
        return self._polled - since > STALL_SECONDS

    def log(self, tasks: Mapping[str, Task]) -> None:
        """Log what is not OK."""
        for name, (level, text, _) in tasks.items():
            told = level == OK or self._is_logged(name, text)
            if not told and self._throttle.allows(f'{name}: {text}'):
                self._log(level, f'{name}: {text}')

    def _log(self, level: bytes, text: str) -> None:
        if level == ERROR:  # rclpy wants a line of code for each severity
            self._logger.error(text)
        else:
            self._logger.warning(text)


def what_is_wrong(tasks: Mapping[str, Task]) -> str:
    """All that is not OK, in one line."""
    return '; '.join(text for level, text, _ in tasks.values() if level != OK)
