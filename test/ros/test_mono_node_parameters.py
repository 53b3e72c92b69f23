# SPDX-License-Identifier: Apache-2.0
"""The mono node as an operator handles it: parameters, lifecycle, QoS, bad starts, the end."""

import signal

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from harness import values_of
from known_depth_node import METRIC_CHECKPOINT, RELATIVE_CHECKPOINT
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from mono_robot import KNOWN_NODE, MONO_NODE, RELATIVE, MonoRobot, depth_error
from rclpy.qos import qos_profile_sensor_data
from scene import pixels_of

pytestmark = pytest.mark.ros

METRIC = {**RELATIVE, 'depth_anything_v2.model_backend': METRIC_CHECKPOINT}
CHECKPOINT = 'depth_anything_v2.model_backend'


@pytest.fixture(scope='module')
def nodes(start_node):
    """Nodes that start together."""
    return {
        name: start_node(name, METRIC, program=KNOWN_NODE) for name in ('/live', '/int', '/term')
    }


@pytest.fixture
def start(nodes, make_robot):
    """Call it for a node and its robot, which know each other."""

    def start(namespace):
        robot = make_robot(namespace, kind=MonoRobot)
        robot.meet()
        return nodes[namespace], robot

    return start


def assert_depth(robot, depths, send=None):
    depths.clear()
    assert depth_error(pixels_of(robot.ask(depths, send))) < 0.01


@pytest.mark.parametrize('bad', ['gone.pth', '/nowhere/at/all.pth'])
def test_a_bad_checkpoint_loses_frames_with_an_error_until_it_is_replaced(start, bad):
    node, robot = start('/live')
    depths = robot.listen('depth/image')
    assert_depth(robot, depths)
    with robot.parameters(depth_anything_v2__model_backend=bad):
        status = robot.status(
            'output', lambda s, _: s.level == DiagnosticStatus.ERROR, every=robot.send
        )
        assert bad in status.message
        depths.clear()
        failed = values_of(status)['failed']
        robot.status('output', lambda _, v: v['failed'] > failed + 3, every=robot.send)
        assert not depths
        assert len(node.lines('[ERROR]', 'frame lost', bad)) == 1
    assert_depth(robot, depths)
    assert node.alive and 'Traceback' not in node.output


def test_a_checkpoint_of_the_other_kind_takes_effect_with_the_next_frame(start):
    node, robot = start('/live')
    depths, relatives = robot.listen('depth/image'), robot.listen('relative_depth/image')
    assert_depth(robot, depths)
    with robot.parameters(depth_anything_v2__model_backend=RELATIVE_CHECKPOINT):
        robot.ask(relatives)
        depths.clear()
        relatives.clear()
        robot.wait_for(lambda: len(relatives) >= 3, what='relative answers', every=robot.send)
        assert not depths
        node.wait_for_line('[WARN]', 'relative checkpoint')
        assert_depth(robot, depths, lambda: robot.send_scan_and_image(**in_front(robot)))
    assert_depth(robot, depths)
    relatives.clear()
    robot.ask(depths)
    assert not relatives


def in_front(robot):
    """A scan in the image's own frame: this node has no transform."""
    from mono_robot import measured
    from scene import FRAME_ID

    return {'points': measured(), 'frame_id': FRAME_ID}


@pytest.mark.parametrize(
    ('bad', 'words'),
    [
        ({'backend': 'magic'}, ('backend', 'depth_anything_v2', 'magic')),
        ({'depth_anything_v2.input_size': 10}, ('input_size', '10')),
        ({'depth_anything_v2.input_size': 518.0}, ('INTEGER', 'DOUBLE')),
        ({'sparse_depth.min_inliers': 1.5}, ('min_inliers', '1.5')),
        ({'min_depth': 60.0, 'max_depth': 50.0}, ('max_depth', 'min_depth', '60', '50')),
        ({'device': 'cuda'}, ('device', 'read-only')),
    ],
)
def test_a_bad_value_refuses_its_whole_batch_and_says_why(start, bad, words):
    _, robot = start('/live')
    names = ('points.max_range', *bad)
    before = robot.get_parameters(*names)
    result = robot.set_parameters({'points.max_range': 7.0, **bad})
    assert not result.successful
    assert all(word in result.reason for word in words), result.reason
    assert robot.get_parameters(*names) == before


def test_a_pause_and_a_new_start_by_a_lifecycle_manager(start):
    node, robot = start('/live')

    def change(transition):
        request = ChangeState.Request(transition=Transition(id=transition))
        assert robot.call(ChangeState, 'change_state', request).success
        return robot.call(GetState, 'get_state', GetState.Request()).current_state.id

    depths = robot.listen('depth/image')
    for _ in range(2):
        assert_depth(robot, depths)
        assert change(Transition.TRANSITION_DEACTIVATE) == State.PRIMARY_STATE_INACTIVE
        robot.wait_for(lambda: not any(robot.input_readers()), 3.0, 'inputs closed')
        assert change(Transition.TRANSITION_CLEANUP) == State.PRIMARY_STATE_UNCONFIGURED
        assert change(Transition.TRANSITION_CONFIGURE) == State.PRIMARY_STATE_INACTIVE
        assert change(Transition.TRANSITION_ACTIVATE) == State.PRIMARY_STATE_ACTIVE
    assert_depth(robot, depths)
    assert 'Traceback' not in node.output


def test_best_effort_cameras_and_readers_are_served(start, make_robot):
    _, _ = start('/live')
    robot = make_robot('/live', 'best_effort', MonoRobot, image_qos=qos_profile_sensor_data)
    assert_depth(robot, robot.listen('depth/image', qos=qos_profile_sensor_data))


BAD_STARTS = {
    'missing': ({CHECKPOINT: '/nowhere/depth_anything_v2_vits.pth'}, ('/nowhere/', 'vits.pth')),
    'unknown': ({CHECKPOINT: 'depth-anything-v9'}, ('depth-anything-v9', 'depth-anything-v2-')),
    'size': ({'depth_anything_v2.input_size': 10}, ('input_size', '10')),
    'no_gpu': ({'device': 'cuda:7'}, ('cuda:7', 'CUDA')),
}


@pytest.fixture(scope='module')
def bad_starts(start_node):
    """The processes of the real node, started together."""
    return {
        name: start_node(f'/{name}', values, program=MONO_NODE)
        for name, (values, _) in BAD_STARTS.items()
    }


@pytest.mark.parametrize('name', BAD_STARTS)
def test_a_bad_start_ends_with_one_clear_line(bad_starts, name):
    node = bad_starts[name]
    assert node.wait_for_exit(timeout=20.0) == 1
    lines = node.output.strip().splitlines()
    assert len(lines) == 1, node.output
    assert all(word in lines[0] for word in BAD_STARTS[name][1]), lines[0]


@pytest.mark.parametrize('name', ['int', 'term'])
def test_a_signal_ends_a_working_node_quickly_and_quietly(start, name):
    node, robot = start(f'/{name}')
    robot.stream(30.0)
    depths = robot.listen('depth/image')
    robot.wait_for(lambda: len(depths) > 10, what='depth')
    node.end({'int': signal.SIGINT, 'term': signal.SIGTERM}[name], meanwhile=robot.spin_once)
