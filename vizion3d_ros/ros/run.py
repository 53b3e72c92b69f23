# SPDX-License-Identifier: Apache-2.0
"""How every node of this package starts, spins and stops."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import traceback
from collections.abc import Callable

import rclpy
from pydantic import ValidationError
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from vizion3d_ros.contracts.errors import DepthError, explain
from vizion3d_ros.worker import THREAD_NAME


def run_node(make_node: Callable[[], Node], args: list[str] | None = None) -> int:
    """Spin one node until told to stop and give the exit code: 1, with one line, if it failed."""
    keep_large_blocks()
    rclpy.init(args=args)
    exit_code = _spin(make_node)
    rclpy.try_shutdown()
    if any(thread.name == THREAD_NAME for thread in threading.enumerate()):
        _leave_now(exit_code)
    return exit_code


def _spin(make_node: Callable[[], Node]) -> int:
    node = None
    try:
        node = make_node()
        rclpy.spin(node)
    except (DepthError, ParameterException, ValidationError) as error:
        rclpy.logging.get_logger('vizion3d_ros').fatal(explain(error))
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        return 0
    except Exception:
        if rclpy.ok():  # else a signal came between two waits, which makes the next one fail
            traceback.print_exc()
            return 1
    finally:
        if node is not None:
            node.destroy_node()
    return 0


def _leave_now(exit_code: int) -> None:
    """End the process although a matcher is still at work; C++ would wait for it at exit."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def keep_large_blocks() -> None:
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
