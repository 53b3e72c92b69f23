# SPDX-License-Identifier: Apache-2.0
"""What a node does when time goes back: a bag that loops, a simulator that starts again."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import ClockChange, JumpHandle, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.node import Node

CHANGES = (ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED)


def follow_jumps(node: Node, start_anew: Callable[[], None]) -> JumpHandle:
    """Have all that waits dropped when the node's clock goes back or becomes another one."""

    def on_jump(jump: TimeJump) -> None:
        reason = 'the clock changed' if jump.clock_change in CHANGES else 'time went back'
        node.get_logger().info(f'{reason}: waiting images dropped, all starts anew')
        start_anew()

    back = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1))
    return node.get_clock().create_jump_callback(back, post_callback=on_jump)
