# SPDX-License-Identifier: Apache-2.0
"""
The behaviour that we rely on of message_filters, whichever is installed.

Holds for the package of a ROS distribution and for the stand-in in standalone/packages alike.
"""

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
message_filters = pytest.importorskip('message_filters')

from rclpy.time import Time  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Header, String  # noqa: E402

MS = 1_000_000  # nanoseconds


def stamped(stamp_ns):
    return Header(stamp=Time(nanoseconds=stamp_ns).to_msg())


def image_at(stamp_ns):
    return Image(header=stamped(stamp_ns))


def stamp_of(message):
    return Time.from_msg(message.header.stamp).nanoseconds


class Pairs:
    """Two inputs into a synchroniser, and the stamps [ns] of the pairs that came out."""

    def __init__(self, synchroniser, *args, **kwargs):
        self.left, self.right = message_filters.SimpleFilter(), message_filters.SimpleFilter()
        self.sync = synchroniser([self.left, self.right], *args, **kwargs)
        self.sync.registerCallback(self._store)
        self.seen = []

    def _store(self, *messages):
        self.seen.append(tuple(stamp_of(m) for m in messages))

    def feed(self, left=(), right=()):
        for stamp in left:
            self.left.signalMessage(image_at(stamp))
        for stamp in right:
            self.right.signalMessage(image_at(stamp))
        return self.seen


def test_callback_gets_messages_then_its_own_arguments():
    source, seen = message_filters.SimpleFilter(), []
    source.registerCallback(lambda *args: seen.append(args), 'extra', 7)
    source.signalMessage('a', 'b')
    assert seen == [('a', 'b', 'extra', 7)]


def test_callbacks_run_in_the_order_of_registration():
    source, seen = message_filters.SimpleFilter(), []
    source.registerCallback(lambda _: seen.append('first'))
    source.registerCallback(lambda _: seen.append('second'))
    source.signalMessage('message')
    assert seen == ['first', 'second']


def test_exact_pairs_equal_stamps_only():
    assert Pairs(message_filters.TimeSynchronizer, 10).feed([1, 2, 3], [2, 3, 4]) == [
        (2, 2),
        (3, 3),
    ]


def test_exact_forgets_the_oldest_beyond_the_queue_size():
    pairs = Pairs(message_filters.TimeSynchronizer, 2)
    assert pairs.feed(left=[1, 2, 3], right=[1]) == []
    assert sorted(pairs.sync.queues[0]) == [2, 3]


def test_a_pair_leaves_the_queues():
    pairs = Pairs(message_filters.TimeSynchronizer, 10)
    pairs.feed(left=[1, 2], right=[1])
    assert [list(q) for q in pairs.sync.queues] == [[2], []]


@pytest.mark.parametrize(('offset_ms', 'paired'), [(0, True), (4, True), (5, False), (6, False)])
def test_approximate_compares_strictly_with_slop(offset_ms, paired):
    pairs = Pairs(message_filters.ApproximateTimeSynchronizer, 10, 0.005)
    assert bool(pairs.feed(left=[100 * MS], right=[(100 + offset_ms) * MS])) is paired


def test_approximate_with_slop_zero_pairs_nothing():
    pairs = Pairs(message_filters.ApproximateTimeSynchronizer, 10, 0.0)
    assert pairs.feed(left=[100], right=[100]) == []


def test_approximate_takes_the_closest():
    pairs = Pairs(message_filters.ApproximateTimeSynchronizer, 10, 0.050)
    assert pairs.feed(left=[100 * MS, 120 * MS], right=[118 * MS]) == [(120 * MS, 118 * MS)]


def test_approximate_drops_a_message_without_a_header():
    pairs = Pairs(message_filters.ApproximateTimeSynchronizer, 10, 0.050)
    pairs.left.signalMessage(String())
    assert len(pairs.sync.queues[0]) == 0


def test_reconnecting_starts_with_empty_queues():
    pairs = Pairs(message_filters.TimeSynchronizer, 10)
    pairs.feed(left=[1])
    pairs.sync.connectInput([message_filters.SimpleFilter(), message_filters.SimpleFilter()])
    assert [len(q) for q in pairs.sync.queues] == [0, 0]


def test_lock_is_held_during_the_callback_and_free_afterwards():
    pairs, held = Pairs(message_filters.TimeSynchronizer, 10), []
    pairs.sync.registerCallback(lambda *_: held.append(pairs.sync.lock.locked()))
    pairs.feed(left=[1], right=[1])
    assert held == [True]
    assert not pairs.sync.lock.locked()


class RecordingNode:
    """Takes the place of a node in `Subscriber`."""

    def create_subscription(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs
        return self


def test_subscriber_passes_its_arguments_on_and_signals():
    node, seen = RecordingNode(), []
    subscriber = message_filters.Subscriber(node, Image, 'left/image', qos_profile=3)
    subscriber.registerCallback(seen.append)
    node.args[2]('message')
    assert node.args[:2] == (Image, 'left/image')
    assert node.kwargs == {'qos_profile': 3}
    assert (seen, subscriber.getTopic()) == (['message'], 'left/image')
