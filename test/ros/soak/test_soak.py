# SPDX-License-Identifier: Apache-2.0
"""
A node under faults: after each one depth is right again, and nothing grows.

`make soak` runs it for SOAK_MINUTES with faults in the order of SOAK_SEED and prints a table; the
tests have every fault twice.
"""

import faulthandler
import os
import random
import sys
import time

import numpy as np
import pytest
from faults import ALL, Camera, listener_killed, shuffled
from harness import SCENE
from health import held_by
from rclpy.qos import qos_profile_sensor_data
from scene import DEPTH_M, pixels_of, to_ns

pytestmark = [pytest.mark.ros, pytest.mark.slow]

RATE_HZ = 30.0
MINUTES = float(os.environ.get('SOAK_MINUTES', 0))
# The inputs close only when DDS has missed who was killed, for which the tests do not wait.
FAULTS = [*ALL, listener_killed] if MINUTES else ALL
SEED = int(os.environ.get('SOAK_SEED', 1))
MOST_GROWTH = 1.02 if MINUTES else 1.05
RECOVERY_S = 5.0  # on a machine that the cameras and this test share
PARTS = 6  # of the whole run, for the memory in each
HANG_S = 120.0  # no fault takes as long


class Soak:
    """The node, its cameras, and who listens."""

    def __init__(self, node, robot, camera, domain):
        self.node, self.robot, self.camera, self.domain = node, robot, camera, domain
        self.random = random.Random(SEED)
        self.grey = SCENE['left']
        self.rgb = np.repeat(self.grey[..., None], 3, axis=2)
        self.recoveries = {fault.__name__: [] for fault in FAULTS}
        self.answered = self.hung = 0
        self.memory_mb = []
        self.listen()

    def listen(self):
        listen, qos = self.robot.listen, qos_profile_sensor_data  # see listeners_come_and_go
        self._depths = listen('depth/image', qos=qos, note=self._note)
        self._colours = listen('disparity/image_color', qos=qos, note=lambda message: None)

    def rest(self):
        self.robot.ignore(self._depths)
        self.robot.ignore(self._colours)

    def _note(self, message):
        """Stamp and share of pixels that are right."""
        error = np.abs(pixels_of(message) - DEPTH_M)
        return to_ns(message.header.stamp), float((error < 0.01 * DEPTH_M).mean())

    def wait_until_right(self):
        """Seconds until depth of something seen from now on is right."""
        began_ns = time.time_ns()
        self._depths.clear()
        self.robot.wait_for(
            lambda: any(stamp > began_ns and share > 0.5 for stamp, share in self._depths),
            RECOVERY_S,
            lambda: f'no right depth again:\n{self.node.output[-3000:]}',
        )
        return (time.time_ns() - began_ns) / 1e9

    def suffer(self, fault):
        if MINUTES:  # a hang of the middleware holds the interpreter, and with it every deadline
            faulthandler.dump_traceback_later(HANG_S, exit=True, file=sys.__stderr__)
        fault(self)
        seconds = self.wait_until_right()
        self.recoveries[fault.__name__].append(seconds)
        self.memory_mb.append(held_by(self.node.pid).memory_mb)
        print(
            f'{time.strftime("%H:%M:%S")} {fault.__name__}: right after {seconds:.2f} s',
            flush=True,
        )

    def settle(self):
        """What the node holds when it has nothing but frames to do."""
        self.robot.spin_for(3.0)
        return held_by(self.node.pid)


@pytest.fixture
def soak(nodes, make_robot, domain):
    robot = make_robot()
    robot.meet()
    camera = Camera(domain, '', RATE_HZ)
    soak = Soak(nodes[''], robot, camera, domain)
    yield soak
    robot.rest()
    camera.kill()


def report(soak, before, after, seconds):
    print(f'\n{"fault":<24}{"times":>6}{"recovered in, median s":>24}{"worst":>8}')
    for name, recovery in soak.recoveries.items():
        median, worst = np.median(recovery), max(recovery)
        print(f'{name:<24}{len(recovery):>6}{median:>24.2f}{worst:>8.2f}')
    print(f'{seconds / 60:.1f} min at {RATE_HZ:.0f} Hz, seed {SEED}, {soak.answered} requests')
    print(f'{soak.hung} listeners of others hung by Fast DDS, see docs/transport.md')
    print(f'{"held":<24}{"before":>10}{"after":>10}')
    for name in ('memory_mb', 'threads', 'descriptors'):
        print(f'{name:<24}{getattr(before, name):>10.4g}{getattr(after, name):>10.4g}')
    most_mb = [max(part) for part in np.array_split(soak.memory_mb, PARTS)]
    print(f'most memory_mb in each of {PARTS} parts: {" ".join(f"{mb:.1f}" for mb in most_mb)}')


def suffer_for(soak, faults, minutes):
    """Every fault at least once, and as many more as there is time for; gives the seconds."""
    began = time.monotonic()
    for count, fault in enumerate(faults, 1):
        soak.suffer(fault)
        if count >= len(FAULTS) and time.monotonic() - began > 60 * minutes:
            return time.monotonic() - began


def test_after_every_fault_depth_is_right_again_and_nothing_grows(soak):
    soak.wait_until_right()
    faults = shuffled(FAULTS, SEED)
    # What is made on first use, and the heap: it keeps the most that was ever in use at once
    # (run.keep_large_blocks), which grows for some minutes until all faults have met by chance.
    suffer_for(soak, faults, MINUTES / 2)
    before = soak.settle()
    seconds = suffer_for(soak, faults, MINUTES)
    after = soak.settle()
    faulthandler.cancel_dump_traceback_later()
    report(soak, before, after, seconds)

    assert after.threads <= before.threads
    assert after.descriptors <= before.descriptors
    assert after.memory_mb <= MOST_GROWTH * before.memory_mb
    assert 'Traceback' not in soak.node.output
