# SPDX-License-Identifier: Apache-2.0
"""Many requests at once beside the topics, and callers that die while theirs is worked on."""

import os
import subprocess
import sys
import time
from collections import deque

import numpy as np
import pytest
import slow_stereo_node
from harness import values_of
from rclpy.qos import QoSProfile
from scene import DISPARITY_PX, pixels_of, textured_pair, to_ns
from service_calls import rgb_message, stereo_request, values

from vizion3d_interfaces.srv import RunStereoDepth

pytestmark = [pytest.mark.ros, pytest.mark.slow]

CLIENTS, REQUESTS, IN_FLIGHT = 4, 50, 3
FIRST_RESULTS = 50  # of all clients, after which memory must not grow
MOST_GROWTH_MB = 8
LEFT, RIGHT = (np.repeat(grey[..., None], 3, axis=2) for grey in textured_pair(96, 64))
CONFIG = {'focal_length': 100.0, 'baseline': 100.0}
CALLER = """
import sys
import rclpy
from scene import image_message, textured_pair
from service_calls import stereo_request
from slow_stereo_node import SLOW_SIZE
from vizion3d_interfaces.srv import RunStereoDepth

rclpy.init(domain_id=int(sys.argv[1]))
node = rclpy.create_node('caller')
client = node.create_client(RunStereoDepth, '/stereo_node/run_stereo_depth')
assert client.wait_for_service(20)
images = [image_message(grey, 1) for grey in textured_pair(*SLOW_SIZE)]
for _ in range(3):
    client.call_async(stereo_request(*images))
print('sent', flush=True)
rclpy.spin(node)
"""


@pytest.fixture(scope='module')
def nodes(start_node):
    return {'': start_node(program=(slow_stereo_node.__file__,))}


class Caller:
    """A client that keeps a few requests in flight; each carries a stamp of its own."""

    def __init__(self, robot, number):
        name = f'{robot.node_name}/run_stereo_depth'
        # The responses to all callers pass by here, and this process looks now and then only.
        qos = QoSProfile(depth=100)
        self.client = robot.node.create_client(RunStereoDepth, name, qos_profile=qos)
        self.number, self.sent, self.waiting = number, 0, deque()
        self.stamps = []

    def go_on(self):
        """Take what has come, in order, and send as many again; the number of answers so far."""
        done = [future.done() for future in self.waiting]
        assert done == sorted(done, reverse=True), 'a later request was answered before an earlier'
        while self.waiting and self.waiting[0].done():
            response = self.waiting.popleft().result()
            assert response.success, response.message
            depth = values(response.depth_map)
            assert np.median(depth[depth > 0]) == pytest.approx(10 / DISPARITY_PX, rel=0.02)
            self.stamps.append(to_ns(response.depth_map.header.stamp))
        while len(self.waiting) < IN_FLIGHT and self.sent < REQUESTS:
            self.sent += 1
            left = rgb_message(LEFT, self.number * 1000 + self.sent)
            request = stereo_request(left, rgb_message(RIGHT), CONFIG)
            self.waiting.append(self.client.call_async(request))
        return len(self.stamps)


def resident_mb(node):
    with open(f'/proc/{node.pid}/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2**20


def test_four_callers_and_the_topics_are_all_served(node, robot):
    depths = robot.listen('depth/image', note=lambda message: np.nanmedian(pixels_of(message)))
    robot.stream(10.0)
    robot.wait_for(lambda: depths, what='depth')
    callers = [Caller(robot, number) for number in range(1, CLIENTS + 1)]

    def answered(count):
        return lambda: sum(caller.go_on() for caller in callers) >= count

    robot.wait_for(answered(FIRST_RESULTS), what='the first responses')
    before, heard, began = resident_mb(node), len(depths), time.monotonic()
    robot.wait_for(answered(CLIENTS * REQUESTS), what='all responses')
    rate = (len(depths) - heard) / (time.monotonic() - began)
    growth = resident_mb(node) - before

    for caller in callers:
        stamps = [caller.number * 1000 + count for count in range(1, REQUESTS + 1)]
        assert caller.stamps == stamps
    assert rate > 5, f'only {rate:.1f} depth images a second beside the requests'
    assert growth < MOST_GROWTH_MB, f'{growth:.1f} MB more after all requests'
    status = robot.status('requests', lambda _, counts: counts['waiting'] == 0)
    assert values_of(status) == {'answered': 200.0, 'failed': 0.0, 'waiting': 0.0}


def test_a_caller_that_is_killed_leaves_the_service_to_others(node, robot, domain):
    paths = [path for path in sys.path if path]
    caller = subprocess.Popen(
        [sys.executable, '-c', CALLER, str(domain)],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert caller.stdout.readline() == 'sent\n'
        robot.status('requests', lambda _, counts: counts['waiting'] > 0)
    finally:
        caller.kill()
        caller.communicate()
    request = stereo_request(rgb_message(LEFT), rgb_message(RIGHT), CONFIG)
    for _ in range(3):
        assert robot.call(RunStereoDepth, 'run_stereo_depth', request).success
    assert node.alive
    assert not node.lines('[ERROR]') and not node.lines('Traceback'), node.output
