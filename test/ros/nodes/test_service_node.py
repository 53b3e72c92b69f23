# SPDX-License-Identifier: Apache-2.0
"""The node that only answers requests: both services, no camera, nothing loaded unasked."""

import signal
from pathlib import Path

import depth_anything_rules as rules
import numpy as np
import pytest
import torch
from diagnostic_msgs.msg import DiagnosticStatus
from encoded import png
from robots import SERVICE_NODE
from scene import DISPARITY_PX, textured_pair, unrelated_pair
from service_calls import mono_request, stereo_request, values

from vizion3d_interfaces.srv import RunDepthEstimation, RunStereoDepth

pytestmark = pytest.mark.ros

UNREACHABLE = 'https://localhost:9/none.pth'
LEFT, RIGHT = map(png, textured_pair(96, 64))
CONFIG = {'focal_length': 100.0, 'baseline': 100.0}
SLOW = stereo_request(*map(png, unrelated_pair(2000, 150)))


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp('checkpoints') / 'rule_made_vits.pth'
    torch.save(rules.state_dict('vits'), path)
    return str(path)


@pytest.fixture(scope='module')
def nodes(start_node, checkpoint):
    """Nodes that start together."""

    def start(namespace, **parameters):
        parameters = {name.replace('__', '.'): value for name, value in parameters.items()}
        parameters = {'device': 'cpu', 'depth_anything_v2.input_size': 56, **parameters}
        return start_node(namespace, parameters, program=SERVICE_NODE)

    model = 'depth_anything_v2__model_backend'
    slow = {'sgbm__sgbm_mode': 'hh', 'sgbm__disparity_range': 1984}
    return {
        '/plain': start('/plain', **{model: UNREACHABLE}),
        '/loaded': start('/loaded', preload='both', **{model: checkpoint}, **slow),
        '/lacking': start('/lacking', preload='mono', **{model: '/nowhere/none.pth'}),
        '/late': start('/late', preload='mono', **{model: f'{checkpoint}.late'}),
    }


@pytest.fixture
def plain(meet):
    return meet('/plain')[1]


@pytest.fixture
def loaded(meet):
    return meet('/loaded')[1]


def stereo(robot, left=LEFT, right=RIGHT, **fields):
    request = stereo_request(left, right, CONFIG, **fields)
    return robot.call(RunStereoDepth, 'run_stereo_depth', request)


def mono(robot, **fields):
    request = mono_request(LEFT, **fields)
    return robot.call(RunDepthEstimation, 'run_depth_estimation', request)


def test_it_has_two_services_and_no_topic_of_a_camera(plain):
    plain.wait_for(
        lambda: ('service_node', '/plain') in plain.node.get_node_names_and_namespaces(),
        what='the node in the graph',
    )
    services = dict(plain.node.get_service_names_and_types_by_node('service_node', '/plain'))
    own = {name: types for name, types in services.items() if '/run_' in name}
    assert own == {
        '/plain/service_node/run_stereo_depth': ['vizion3d_interfaces/srv/RunStereoDepth'],
        '/plain/service_node/run_depth_estimation': ['vizion3d_interfaces/srv/RunDepthEstimation'],
    }
    topics = [
        *plain.node.get_subscriber_names_and_types_by_node('service_node', '/plain'),
        *plain.node.get_publisher_names_and_types_by_node('service_node', '/plain'),
    ]
    assert '/diagnostics' in dict(topics)
    assert not [name for name, types in topics if 'sensor_msgs' in types[0]]


def test_it_listens_at_no_port_unasked(plain, nodes):
    assert nodes['/plain'].listening() == set()


def test_stereo_is_answered_at_once_without_weights(plain, nodes):
    response = stereo(plain)
    assert response.success, response.message
    depth = values(response.depth_map)
    assert np.median(depth[depth > 0]) == pytest.approx(10 / DISPARITY_PX, rel=0.02)
    assert nodes['/plain'].lines('ready on cpu with sgbm')


def test_a_checkpoint_that_is_not_there_is_named_and_harms_nothing(plain, nodes):
    refused = plain.set_parameters({'depth_anything_v2.model_backend': '/nowhere/none.pth'})
    assert not refused.successful
    assert "'/nowhere/none.pth' is neither a file nor a known model" in refused.reason
    assert stereo(plain).success
    assert 'Traceback' not in nodes['/plain'].output


def test_a_checkpoint_of_the_other_kind_is_refused(plain, checkpoint):
    with plain.parameters(requests__allowed_models=[checkpoint]):
        response = stereo(plain, model_backend=checkpoint)
    assert not response.success
    assert checkpoint in response.message


def test_parameters_can_be_changed_while_it_runs(plain):
    with plain.parameters(frame_id_override='head', requests__max_pixels=7000):
        assert stereo(plain).depth_map.header.frame_id == 'head'
        larger = stereo(plain, *map(png, textured_pair(100, 80)))
        assert 'left_image: ' in larger.message and '7000 pixels' in larger.message
    with plain.parameters(max_depth=0.7):  # 96 px wide: all is farther
        near = stereo(plain)
    far = stereo(plain)
    assert (values(near.depth_map) != values(far.depth_map)).any()
    refused = plain.set_parameters({'min_depth': 90.0})
    assert not refused.successful and 'max_depth must be larger' in refused.reason


def test_diagnostics_count_the_requests(plain):
    stereo(plain)
    status = plain.status('requests', lambda _, counts: counts['answered'] > 0)
    assert status.level == DiagnosticStatus.OK
    assert status.hardware_id == 'cpu'


def test_what_was_loaded_at_start_answers_both(loaded, checkpoint):
    response = mono(loaded, return_point_cloud=True)
    assert response.success, response.message
    assert response.backend_used == checkpoint
    assert response.point_cloud.width == 96 * 64
    assert stereo(loaded).success


def send(robot, kind, name, *requests):
    """Send requests, and return once the node has them."""
    for request in requests:
        robot.request(kind, name, request)
    robot.status('requests', lambda _, counts: counts['waiting'] == len(requests))


def test_ctrl_c_ends_it_while_requests_wait(nodes, loaded):
    send(loaded, RunStereoDepth, 'run_stereo_depth', *[SLOW] * 4)
    nodes['/loaded'].end(signal.SIGINT)


def test_ctrl_c_ends_it_while_a_checkpoint_cannot_be_fetched(nodes, plain):
    node = nodes['/plain']
    send(plain, RunDepthEstimation, 'run_depth_estimation', mono_request(LEFT))
    node.wait_for_line(UNREACHABLE, 'trying again')
    node.end(signal.SIGINT)


def test_a_start_without_its_checkpoint_is_told_once_and_recovers(meet, checkpoint):
    node, robot = meet('/lacking')
    words = 'preload', '/nowhere/none.pth'
    node.wait_for_line('[ERROR]', *words)
    robot.status('backend', lambda status, _: all(word in status.message for word in words))
    assert stereo(robot).success
    assert robot.set_parameters({'depth_anything_v2.model_backend': checkpoint}).successful
    node.wait_for_line('ready on cpu')
    assert mono(robot).success
    robot.status('backend', lambda status, _: status.level == DiagnosticStatus.OK)
    assert len(node.lines('[ERROR]')) == 1, node.output


def test_a_checkpoint_that_turns_up_is_loaded_without_being_told(meet, checkpoint):
    node, robot = meet('/late')
    robot.status('backend', lambda status, _: 'preload' in status.message)
    Path(f'{checkpoint}.late').hardlink_to(checkpoint)
    node.wait_for_line('ready on cpu')
    robot.status('backend', lambda status, _: status.level == DiagnosticStatus.OK)
    assert mono(robot).success
