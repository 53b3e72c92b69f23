# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests that run real nodes: a ROS domain of their own, processes always ended."""

import os

import pytest

os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
os.environ['RCUTILS_COLORIZED_OUTPUT'] = '0'


@pytest.fixture(scope='module')
def domain():
    """A ROS domain that this module has for itself."""
    from harness import free_domain

    return free_domain()


@pytest.fixture(scope='module')
def start_node(domain, tmp_path_factory):
    """Call it to start a stereo node; every one is ended after the module."""
    from harness import NodeProcess

    nodes = []

    def start(*args, **kwargs):
        nodes.append(NodeProcess(domain, tmp_path_factory.mktemp('node'), *args, **kwargs))
        return nodes[-1]

    yield start
    for node in nodes:
        node.kill()


@pytest.fixture(scope='module')
def context(domain):
    """The test process on the module's domain, as one DDS participant."""
    import rclpy

    context = rclpy.Context()
    context.init(domain_id=domain)
    yield context
    context.try_shutdown()


@pytest.fixture(scope='module')
def robots(context):
    """The robots of this module: kept, since finding each other can take DDS seconds."""
    robots = {}
    yield robots
    for robot in robots.values():
        robot.close()


@pytest.fixture
def make_robot(context, robots):
    """Call it to get the robot around the node of a namespace, with nobody listening yet."""
    from harness import Robot

    def make(namespace='', name='robot', **kwargs):
        if (namespace, name) not in robots:
            robots[namespace, name] = Robot(context, namespace, name, **kwargs)
        return robots[namespace, name]

    yield make
    for robot in robots.values():
        robot.rest()
