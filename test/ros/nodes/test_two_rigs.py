# SPDX-License-Identifier: Apache-2.0
"""Two rigs at 10 Hz on one machine: each gets its share, and the same depth as alone."""

import numpy as np
import pytest
from scene import DEPTH_M, median_error, pixels_of, textured_pair, to_ns

pytestmark = pytest.mark.ros

RATE_HZ = 10
ANSWERS = 20
FAIR = 0.7  # of what the other rig got; the machine may have others to serve
RIGS = ('/front', '/rear')
# What each sees, so that a mix-up would be seen.
SCENES = {'/front': textured_pair(disparity_px=10), '/rear': textured_pair(disparity_px=20)}


@pytest.fixture(scope='module')
def nodes(start_node):
    """Nodes that start together."""
    return {name: start_node(name) for name in RIGS}


@pytest.fixture
def rigs(meet):
    """Each robot by its namespace, with what it sends."""
    robots = {name: meet(name)[1] for name in RIGS}
    for name, robot in robots.items():
        left, right = SCENES[name]
        robot.send = lambda robot=robot, left=left, right=right: robot.send_pair(
            {'grey': left}, {'grey': right}
        )
    return robots


def test_both_get_their_share_and_the_depth_that_they_get_alone(rigs):
    heard = {name: robot.listen('depth/image') for name, robot in rigs.items()}
    alone = {name: pixels_of(robot.ask(heard[name])) for name, robot in rigs.items()}
    assert median_error(alone['/front'], DEPTH_M) < 0.01
    assert median_error(alone['/rear'], DEPTH_M / 2) < 0.01

    for name, robot in rigs.items():
        heard[name].clear()
        robot.stream(RATE_HZ)
    front, rear = rigs.values()

    def one_has_enough():
        rear.spin_once(0.0)
        return max(map(len, heard.values())) >= ANSWERS

    front.wait_for(one_has_enough, 15.0, 'answers to a rig')
    counts = {name: len(messages) for name, messages in heard.items()}
    assert min(counts.values()) >= FAIR * ANSWERS, counts
    for name, messages in heard.items():
        stamps = [to_ns(message.header.stamp) for message in messages]
        assert stamps == sorted(set(stamps))
        for message in messages:
            assert np.array_equal(pixels_of(message), alone[name], equal_nan=True), name
