# SPDX-License-Identifier: Apache-2.0
"""How a node that computes depth runs, and how long it waits for its worker at the end."""

from __future__ import annotations

from collections.abc import Callable

import torch
from rclpy.node import Node

from vizion3d_ros.ros.run import run_node

CLOSE_TIMEOUT = 1.0


def run_depth_node(
    make_node: Callable[[], Node], about: str, args: list[str] | None = None
) -> int:
    """Run a depth node until it is told to stop; gives the exit code. As run_node."""
    # Arithmetic per pixel is bound by memory, and a pool of threads stalls each time a camera
    # driver or rviz2 takes one of its cores. A network on the CPU asks for more by itself.
    torch.set_num_threads(1)
    return run_node(make_node, about, args)
