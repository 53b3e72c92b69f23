# SPDX-License-Identifier: Apache-2.0
"""A node of the test process itself."""

import time

import pytest
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node


class SpunNode:
    """A node that lives only while the test spins it, in the thread of the test."""

    SEND_PERIOD = 0.15

    def __init__(self, context, name, namespace=''):
        self.node = Node(name, context=context, namespace=namespace)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)

    def spin_once(self, timeout=0.02):
        self.executor.spin_once(timeout_sec=timeout)

    def wait_for(self, condition, timeout=20.0, what='', every=None):
        """Spin until condition() is truthy, and return its value.

        what: what is waited for, or a function that tells. every: what to do meanwhile.
        """
        deadline, due = time.monotonic() + timeout, 0.0
        while not (value := condition()):
            now = time.monotonic()
            if now > deadline:
                pytest.fail(f'waited {timeout} s in vain: {what() if callable(what) else what}')
            if every and now >= due:
                every()
                due = now + self.SEND_PERIOD
            self.spin_once()
        return value

    def spin_for(self, seconds, every=None):
        """Let that much time pass, which is the point of it; every: as for wait_for."""
        end = time.monotonic() + seconds
        self.wait_for(lambda: time.monotonic() > end, seconds + 1.0, every=every)

    def close(self):
        """
        Leave the graph; nothing spins the node any more, so nothing of it is in use.

        Leave before others are killed: who dies while it writes to this process leaves a mutex in
        shared memory locked, for which Fast DDS then waits in destroy_node. rclpy holds the
        interpreter meanwhile, so that no thread of Python could end the wait: that does
        faulthandler_exit_on_timeout, and its traceback leads here.
        """
        self.executor.shutdown()
        self.node.destroy_node()
