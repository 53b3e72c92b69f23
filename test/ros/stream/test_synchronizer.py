# SPDX-License-Identifier: Apache-2.0
"""Our pairs are those of message_filters, for whatever order messages come in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import stamped
from sensor_msgs.msg import Image

from vizion3d_ros.incoming.sync import stamp_to_ns
from vizion3d_ros.incoming.synchronizer import PairSynchronizer
from vizion3d_ros.ros.stream.filters import FilteredPairs

pytestmark = pytest.mark.ros

START = 1_700_000_000_000_000_000
ARRIVALS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 60)), max_size=60)


def upstream(arrivals, queue_size, slop_ns):
    return paired(FilteredPairs, arrivals, queue_size, slop_ns)


def ours(arrivals, queue_size, slop_ns):
    return paired(PairSynchronizer, arrivals, queue_size, slop_ns)


def paired(kind, arrivals, queue_size, slop_ns):
    pairs = []
    pairing = kind(queue_size, slop_ns, lambda *pair: pairs.append(pair))
    for side, image in arrivals:
        pairing.add(side, stamp_to_ns(image), image)
    return [tuple(map(stamp_to_ns, pair)) for pair in pairs]


@given(ARRIVALS, st.integers(1, 5), st.sampled_from([1, 3, 8, 200]))
def test_the_same_pairs_as_message_filters(arrivals, queue_size, slop_ns):
    images = [(side, stamped(Image, START + offset)) for side, offset in arrivals]
    assert ours(images, queue_size, slop_ns) == upstream(images, queue_size, slop_ns)
