# SPDX-License-Identifier: Apache-2.0
"""How every node of this package starts, spins and stops."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable

import rclpy
from pydantic import ValidationError
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from vizion3d_ros.contracts.errors import DepthError, explain
from vizion3d_ros.worker import THREAD_NAME


def run_node(make_node: Callable[[], Node], args: list[str] | None = None) -> None:
    """Spin one node until told to stop; one line and exit code 1 if it can't start."""
    _keep_large_blocks()
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
    except Exception:  # a signal that comes between two waits makes the next wait fail
        if rclpy.ok():
            raise
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
        _leave_without_a_busy_worker()


def _leave_without_a_busy_worker() -> None:
    """End the process now if a matcher is still at work; C++ would wait for it at exit."""
    if any(thread.name == THREAD_NAME for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _keep_large_blocks() -> None:
    """
    Let glibc reuse the memory of the last frame instead of returning it to the system.

    Every image and cloud is a block of megabytes; mapping them anew for each frame costs more
    in page faults than the arithmetic on them. Other C libraries are left as they are.
    """
    trim_threshold, mmap_threshold, arena_max = -1, -3, -8  # from malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return
    mallopt(mmap_threshold, 32 << 20)  # the most that glibc takes
    mallopt(trim_threshold, 512 << 20)
    mallopt(arena_max, 1)
