# SPDX-License-Identifier: Apache-2.0
"""Pictures that cannot give depth: the live node says why in time, and forgets it when cured."""

import time

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from harness import SCENE

pytestmark = pytest.mark.ros

TOLD_SECONDS = 5.0  # 3 on a machine of its own
CURED_SECONDS = 4.0
LEFT, RIGHT = SCENE['left'], SCENE['right']
NOISE = np.random.default_rng(4)


def lowered(rows):
    return np.roll(RIGHT, rows, axis=0)


FAULTS = {
    'rows': (LEFT, lowered(6), ('right image is 6.0 px lower', 'recalibrate')),
    'higher': (LEFT, lowered(-4), ('right image is 4.0 px higher', 'recalibrate')),
    'swapped': (RIGHT, LEFT, ('left and right images are swapped', 'exchange')),
    'capped': (LEFT, np.full_like(RIGHT, 2), ('right image is dark', 'cap')),
    'saturated': (np.full_like(LEFT, 255), RIGHT, ('left image is saturated', 'exposure')),
}


def sender(robot, left, right):
    def send():
        robot.send_infos()
        return robot.send_images({'grey': left}, {'grey': right})

    return send


@pytest.mark.parametrize('fault', FAULTS)
def test_the_fault_is_named_in_time_and_gone_with_its_cure(robot, node, fault):
    left, right, words = FAULTS[fault]
    robot.listen('depth/image')
    robot.status('pictures', lambda s, _: s.message == 'nothing amiss', every=robot.send_pair)
    warnings = len(node.lines('[WARN]', 'pictures: '))

    began = time.monotonic()
    status = robot.status(
        'pictures', lambda s, _: s.level == DiagnosticStatus.WARN, every=sender(robot, left, right)
    )
    assert time.monotonic() - began < TOLD_SECONDS
    assert all(word in status.message for word in words), status.message
    node.wait_for_line('[WARN]', 'pictures: ', *words)
    assert len(node.lines('[WARN]', 'pictures: ')) == warnings + 1

    began = time.monotonic()
    robot.status(
        'pictures', lambda s, _: s.level == DiagnosticStatus.OK, every=sender(robot, LEFT, RIGHT)
    )
    assert time.monotonic() - began < CURED_SECONDS


def test_one_frozen_side_is_named(robot, node):
    robot.listen('depth/image')

    def send():
        moved = np.roll(LEFT, NOISE.integers(0, 40), axis=0)
        robot.send_infos()
        return robot.send_images({'grey': moved}, {'grey': RIGHT})

    robot.status('pictures', lambda s, _: 'right image is frozen' in s.message, every=send)
    node.wait_for_line('[WARN]', 'pictures: right image is frozen')


def test_a_still_scene_before_still_cameras_is_no_fault(robot, node):
    robot.status('pictures', lambda s, _: s.message == 'no pictures to look at')
    warnings = len(node.lines('[WARN]'))
    robot.listen('depth/image')
    robot.status('pictures', lambda s, _: s.message == 'nothing amiss', every=robot.send_pair)
    robot.spin_for(4.0, every=robot.send_pair)
    assert len(node.lines('[WARN]')) == warnings


def test_objects_nearer_than_what_is_searched_are_named_with_their_depth(robot, node):
    robot.listen('depth/image')
    with robot.parameters(min_depth=5.0):
        began = time.monotonic()
        status = robot.status(
            'pictures', lambda s, _: s.level == DiagnosticStatus.WARN, every=robot.send_pair
        )
        assert time.monotonic() - began < TOLD_SECONDS
        assert 'which is 2 m' in status.message and 'lower min_depth to' in status.message
    robot.status('pictures', lambda s, _: s.message == 'nothing amiss', every=robot.send_pair)
