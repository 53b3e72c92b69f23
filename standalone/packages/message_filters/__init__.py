# SPDX-License-Identifier: Apache-2.0
"""
Stand-in for the ROS 2 package message_filters, which PyPI does not carry.

Only what vizion3d_ros calls, with upstream's names and behaviour, its faults included: code that
works here must work there. On a ROS distribution the real package is used.
"""

import itertools
import threading

from rclpy.clock import ROSClock
from rclpy.duration import Duration
from rclpy.logging import get_logger
from rclpy.time import Time

__all__ = ['ApproximateTimeSynchronizer', 'SimpleFilter', 'Subscriber', 'TimeSynchronizer']


class SimpleFilter:
    """Source of messages that calls whoever registered."""

    def __init__(self):
        self.callbacks = {}

    def registerCallback(self, cb, *args):
        """Call `cb(*messages, *args)` for every output; return the connection's number."""
        connection = len(self.callbacks)
        self.callbacks[connection] = (cb, args)
        return connection

    def signalMessage(self, *msg):
        """Hand `msg` to every registered callback, in the order of registration."""
        for cb, args in self.callbacks.values():
            cb(*msg, *args)


class Subscriber(SimpleFilter):
    """Filter fed by a subscription: `Subscriber(node, msg_type, topic, **kwargs)`."""

    def __init__(self, node, msg_type, topic, *args, **kwargs):
        super().__init__()
        self.node = node
        self.topic = topic
        kwargs.setdefault('qos_profile', 10)
        self.sub = node.create_subscription(msg_type, topic, self.callback, *args, **kwargs)

    def callback(self, msg):
        """Pass one received message on."""
        self.signalMessage(msg)

    def getTopic(self):
        """Return the topic as it was given."""
        return self.topic

    def __getattr__(self, name):
        # Reached only for what the filter lacks. Guarded, as `sub` itself may not exist yet.
        if name == 'sub':
            raise AttributeError(name)
        return getattr(self.sub, name)


class TimeSynchronizer(SimpleFilter):
    """
    Pair the messages of several filters whose stamps are equal.

    `queues` holds one dict per input, from stamp in nanoseconds to message. The callback runs
    while `lock` is held, and the lock stays taken if it raises.
    """

    def __init__(self, fs, queue_size):
        super().__init__()
        self.connectInput(fs)
        self.queue_size = queue_size
        self.lock = threading.Lock()

    def connectInput(self, fs):
        """Start new, empty queues and listen to the filters `fs`."""
        self.queues = [{} for _ in fs]
        self.input_connections = [
            f.registerCallback(self.add, queue, index)
            for index, (f, queue) in enumerate(zip(fs, self.queues))
        ]

    def add(self, msg, my_queue, my_queue_index=None):
        """Store one message and signal every complete set, oldest first."""
        self.lock.acquire()  # no `with`: see the class's docstring
        self._store(msg, Time.from_msg(msg.header.stamp).nanoseconds, my_queue)
        for stamp in sorted(set.intersection(*map(set, self.queues))):
            self._signal([stamp] * len(self.queues))
        self.lock.release()

    def _store(self, msg, stamp, queue):
        queue[stamp] = msg
        while len(queue) > self.queue_size:
            del queue[min(queue)]

    def _signal(self, stamps):
        """Signal the set with these stamps [ns], one per queue, and forget it afterwards."""
        self.signalMessage(*(queue[s] for queue, s in zip(self.queues, stamps)))
        for queue, stamp in zip(self.queues, stamps):
            del queue[stamp]


class ApproximateTimeSynchronizer(TimeSynchronizer):
    """
    Pair messages whose stamps all lie less than `slop` seconds apart.

    A message without a header is refused with a warning, or stamped with the current time where
    `allow_headerless` is true. A `slop` of 0 never pairs anything: the comparison is strict.
    """

    def __init__(self, fs, queue_size, slop, allow_headerless=False):
        super().__init__(fs, queue_size)
        self.slop = Duration(seconds=slop)
        self.allow_headerless = allow_headerless

    def add(self, msg, my_queue, my_queue_index=None):
        """Store one message and signal the set closest to it, if there is one."""
        stamp = self._stamp_ns(msg)
        if stamp is None:
            return
        self.lock.acquire()
        self._store(msg, stamp, my_queue)
        for stamps in itertools.product(*self._candidates(stamp, my_queue_index)):
            spread = max(stamps) - min(stamps)
            found = all(s in queue for queue, s in zip(self.queues, stamps))
            if spread < self.slop.nanoseconds and found:
                self._signal(stamps)
                break
        self.lock.release()

    def _candidates(self, stamp, own_index):
        """List per queue the stamps [ns] within `slop` of the new one, nearest first."""
        slop = self.slop.nanoseconds
        return [
            [stamp]
            if index == own_index
            else sorted((s for s in queue if abs(s - stamp) <= slop), key=lambda s: abs(s - stamp))
            for index, queue in enumerate(self.queues)
        ]

    def _stamp_ns(self, msg):
        header = getattr(msg, 'header', None)
        if hasattr(header, 'stamp'):
            return Time.from_msg(header.stamp).nanoseconds
        if self.allow_headerless:
            return ROSClock().now().nanoseconds
        get_logger('message_filters_approx').warning(
            'message without a stamp dropped; allow_headerless=True would use the current time'
        )
        return None
