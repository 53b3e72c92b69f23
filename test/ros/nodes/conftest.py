# SPDX-License-Identifier: Apache-2.0
"""Robots around the annotation nodes of a module."""

import pytest


@pytest.fixture
def eye(nodes, make_robot):
    """A camera with a detector; it has met the node of its namespace."""
    from detector import Detector

    robot = make_robot('/eye', kind=Detector)
    robot.meet()
    return robot


@pytest.fixture
def lidar(nodes, make_robot):
    """The same with a cloud in any order."""
    from detector import Lidar

    robot = make_robot('/lidar', kind=Lidar)
    robot.meet()
    return robot
