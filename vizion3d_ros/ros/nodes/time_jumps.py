# SPDX-License-Identifier: Apache-2.0
"""What a node does when time goes back: a bag that loops, a simulator that starts again."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import ClockChange, JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.node import Node

from vizion3d_ros.incoming.input_stats import FEWEST_JUMPS, RECENT_SECONDS, Recent
from vizion3d_ros.ros.health.diagnostics import OK, WARN, Task

CHANGES = (ClockChange.ROS_TIME_ACTIVATED, ClockChange.ROS_TIME_DEACTIVATED)
CLOCK = '/clock'


class ClockWatch:
    """Has all that waits dropped when the node's clock goes back or becomes another one."""

    def __init__(self, node: Node, start_anew: Callable[[], None]) -> None:
        """Call start_anew() then."""
        self._node = node
        self._start_anew = start_anew
        self._jumps = Recent()
        back = JumpThreshold(min_forward=None, min_backward=Duration(nanoseconds=-1))
        self._handle = node.get_clock().create_jump_callback(back, post_callback=self._on_jump)

    def close(self) -> None:
        """Follow the clock no more."""
        self._handle.unregister()

    def task(self) -> Task:
        """Say whose time it is, and whether it goes back again and again."""
        if not self._node.get_clock().ros_time_is_active:
            return OK, 'time of the system', {}
        topic = self._node.resolve_topic_name(CLOCK)
        nodes = [each.node_name for each in self._node.get_publishers_info_by_topic(topic)]
        if self._jumps.total <= FEWEST_JUMPS:
            return OK, f'time of {topic}', {'publishers': ', '.join(sorted(nodes))}
        text = (
            f'time on {topic} went back {self._jumps.total} times in {RECENT_SECONDS:g} s, and '
            'what waited was dropped each time: have one publisher that counts up alone '
            f'(now {", ".join(sorted(nodes))})'
        )
        return WARN, text, {'publishers': ', '.join(sorted(nodes))}

    def _on_jump(self, jump: TimeJump) -> None:
        reason = 'the clock changed' if jump.clock_change in CHANGES else 'time went back'
        self._jumps.add()
        if self._jumps.total <= FEWEST_JUMPS:  # then the report says so
            self._node.get_logger().info(f'{reason}: waiting images dropped, all starts anew')
        self._start_anew()
