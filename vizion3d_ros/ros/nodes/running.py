# SPDX-License-Identifier: Apache-2.0
"""How a node that computes depth runs, and how long it waits for its worker at the end."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from typing import NoReturn

import torch
from rclpy.node import Node

from vizion3d_ros.ros.run import run_node

CLOSE_TIMEOUT = 1.0


def run_depth_node(
    make_node: Callable[[], Node], about: str, args: list[str] | None = None
) -> NoReturn:
    """Run a depth node until it is told to stop, and the process with it. As run_node."""
    # Arithmetic per pixel is bound by memory, and a pool of threads stalls each time a camera
    # driver or rviz2 takes one of its cores. A network on the CPU asks for more by itself.
    torch.set_num_threads(1)
    exit_code = run_node(make_node, about, args)
    # The node has left the graph. Python and C++ would take a second to put torch away, and wait
    # for a matcher that is still at work.
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)  # the log file
    os._exit(exit_code)
