# SPDX-License-Identifier: Apache-2.0
"""The node's state as diagnostic_msgs, for rqt and the robot's aggregator."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

OK = DiagnosticStatus.OK
WARN = DiagnosticStatus.WARN
ERROR = DiagnosticStatus.ERROR
Task = tuple[bytes, str, Mapping[str, object]]
"""Level, one sentence, and values."""


class Diagnostics:
    """Publishes named tasks on /diagnostics."""

    def __init__(self, node: Node, hardware_id: str) -> None:
        """hardware_id: what the statuses are about, here the compute device."""
        self._node = node
        self.hardware_id = hardware_id
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)

    def publish(self, tasks: Mapping[str, Task]) -> None:
        """Send every task: name to level, one sentence, and values."""
        message = DiagnosticArray()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.status = [
            DiagnosticStatus(
                level=level,
                name=f'{self._node.get_fully_qualified_name()}: {name}',
                message=text,
                hardware_id=self.hardware_id,
                values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
            )
            for name, (level, text, values) in tasks.items()
        ]
        self._publisher.publish(message)

    def destroy(self) -> None:
        """Withdraw the publisher."""
        self._node.destroy_publisher(self._publisher)
