# SPDX-License-Identifier: Apache-2.0
"""How every node of this package starts, spins and stops."""

from __future__ import annotations

import sys
from collections.abc import Callable

import rclpy
from pydantic import ValidationError
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from vizion3d_ros.contracts.errors import DepthError, explain


def run_node(make_node: Callable[[], Node], args: list[str] | None = None) -> None:
    """Spin one node until told to stop; one line and exit code 1 if it can't start."""
    rclpy.init(args=args)
    node = None
    try:
        node = make_node()
        rclpy.spin(node)
    except (DepthError, ParameterException, ValidationError) as error:
        rclpy.logging.get_logger('vizion3d_ros').fatal(explain(error))
        sys.exit(1)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
