# SPDX-License-Identifier: Apache-2.0
"""The package's standard logging, forwarded to the node's logger."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from vizion3d_ros.contracts.errors import printable
from vizion3d_ros.ros.throttle import Throttle

if TYPE_CHECKING:
    from rclpy.impl.rcutils_logger import RcutilsLogger


MOST_ALIKE = 5  # lines in ten seconds: of what comes with every image a few are enough


class RosLogHandler(logging.Handler):
    """Hands the records of a Python logger to a ROS logger at the same level."""

    def __init__(self, ros_logger: RcutilsLogger) -> None:
        super().__init__()
        self._ros_logger = ros_logger
        self._throttle = Throttle(MOST_ALIKE)

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record; rclpy wants a separate call site for each severity."""
        text = printable(self.format(record))  # with the traceback of logger.exception
        if not self._throttle.allows(text):
            return
        if record.levelno >= logging.ERROR:
            self._ros_logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._ros_logger.warning(text)
        elif record.levelno >= logging.INFO:
            self._ros_logger.info(text)
        else:
            self._ros_logger.debug(text)


def forward_logs(ros_logger: RcutilsLogger) -> None:
    """Send what this package logs to ros_logger, and nowhere else."""
    logger = logging.getLogger('vizion3d_ros')
    logger.handlers = [RosLogHandler(ros_logger)]
    logger.setLevel(logging.DEBUG)  # the ROS logger has the say about levels
    logger.propagate = False
