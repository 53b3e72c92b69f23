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
    """Call it to start a node, see NodeProcess; every one is ended after the module."""
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


@pytest.fixture
def make_node(context):
    """Call it with parameters as they are given at the start, to get a bare node of the test."""
    from rclpy.node import Node
    from rclpy.parameter import Parameter

    nodes = []

    def make(**overrides):
        values = [Parameter(name, value=value) for name, value in overrides.items()]
        nodes.append(Node('settings', context=context, parameter_overrides=values))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()


@pytest.fixture(scope='module')
def nodes(start_node):
    """The nodes of a module by namespace, started together; unless it has its own, this one."""
    return {'': start_node()}


@pytest.fixture(scope='module')
def node(nodes):
    """The node without a namespace."""
    return nodes['']


@pytest.fixture(scope='module')
def robots(context, start_node):
    """
    The robots of this module: kept, since finding each other can take DDS seconds.

    They leave before the nodes are killed, see SpunNode.close: that is why start_node is named.
    """
    robots = {}
    yield robots
    for robot in robots.values():
        robot.close()


@pytest.fixture
def make_robot(context, robots):
    """Call it to get the robot around the node of a namespace, with nobody listening yet."""
    from robots import StereoRobot

    def make(namespace='', name='robot', kind=StereoRobot, **kwargs):
        if (namespace, name) not in robots:
            robots[namespace, name] = kind(context, namespace, name, **kwargs)
        return robots[namespace, name]

    yield make
    for robot in robots.values():
        robot.rest()


@pytest.fixture
def meet(nodes, make_robot):
    """Call it for the node of a namespace and the robot around it, which know each other."""
    from mono_robot import KNOWN_NODE, MONO_NODE, MonoRobot
    from robots import SERVICE_NODE, ServiceRobot, StereoRobot

    kinds = {KNOWN_NODE: MonoRobot, MONO_NODE: MonoRobot, SERVICE_NODE: ServiceRobot}

    def meet(namespace=''):
        node = nodes[namespace]
        robot = make_robot(namespace, kind=kinds.get(node.program, StereoRobot))
        robot.meet()
        return node, robot

    return meet


@pytest.fixture
def robot(meet):
    """The robot around the node without a namespace; it has met it."""
    return meet()[1]


@pytest.fixture
def start_source(domain, tmp_path):
    """Call it to start a stand-in camera by its name; every one is ended after the test."""
    from source_process import Source

    sources = []

    def start(name, **parameters):
        sources.append(Source(domain, tmp_path, name, **parameters))
        return sources[-1]

    yield start
    for source in sources:
        if source.process.poll() is None:
            source.process.kill()
        source.process.communicate()


@pytest.fixture
def listen(domain, start_source):
    """
    Call it to hear a stand-in camera, and more: listen(lidar__points=PointCloud2).

    Who listens leaves before the sources are killed: that is why start_source is named.
    """
    from robots import STEREO_INPUTS
    from source_process import Ears

    all_ears = []

    def make(inputs=STEREO_INPUTS, **more):
        topics = {name.replace('__', '/'): kind for name, kind in more.items()}
        all_ears.append(Ears(domain, {**inputs, **topics}))
        return all_ears[-1]

    yield make
    for ears in all_ears:
        ears.close()
