# SPDX-License-Identifier: Apache-2.0
"""The node's state as diagnostic_msgs, for rqt and the robot's aggregator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from vizion3d_ros.contracts.errors import printable
from vizion3d_ros.contracts.settings.node_settings import DiagnosticUpdaterSettings
from vizion3d_ros.ros.throttle import Pace

EARLY = 0.05  # a timer of half the period comes a little early at times
NO_HARDWARE = 'none'  # what diagnostic_updater says before it knows
OK = DiagnosticStatus.OK
WARN = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR
Task = tuple[bytes, str, Mapping[str, object]]
"""Level, one sentence, and values."""


class Diagnostics:
    """Publishes named tasks on /diagnostics, as diagnostic_updater does."""

    def __init__(self, node: Node, settings: Callable[[], DiagnosticUpdaterSettings]) -> None:
        """settings() gives the ones in force."""
        self._node = node
        self._settings = settings
        self._pace = Pace(EARLY)
        self._levels: dict[str, bytes] = {}
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)

    def publish(self, tasks: Mapping[str, Task], hardware_id: str) -> None:
        """
        Send every task, once in a period and as soon as a level changes; hardware_id: what of.

        A fault that is told late is looked for elsewhere meanwhile.
        """
        settings = self._settings()
        levels = {task: level for task, (level, _, _) in tasks.items()}
        due, changed = self._pace.allows(settings.period), levels != self._levels
        if not (due or changed):
            return
        self._levels = levels
        name = self._node.get_fully_qualified_name() if settings.use_fqn else self._node.get_name()
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.status = [
            DiagnosticStatus(
                level=level,
                name=f'{name}: {task}',
                message=printable(text),
                hardware_id=hardware_id,
                values=[KeyValue(key=k, value=printable(str(v))) for k, v in values.items()],
            )
            for task, (level, text, values) in tasks.items()
        ]
        self._publisher.publish(message)
