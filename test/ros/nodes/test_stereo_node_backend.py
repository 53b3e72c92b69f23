# SPDX-License-Identifier: Apache-2.0
"""A backend that loads slowly, cannot be loaded, hangs or runs out of memory: the node goes on."""

import signal
import time

import moody_stereo_node
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.msg import State
from moody_stereo_node import GOOD, HANGING, HUNG_SIZE, LOADING_SECONDS, SHORT, SLOW
from scene import DEPTH_M, TX, image_message, info_message, median_error, pixels_of, textured_pair
from service_calls import stereo_request
from std_srvs.srv import Trigger

from vizion3d_interfaces.srv import RunStereoDepth

pytestmark = pytest.mark.ros

PROGRAM = (moody_stereo_node.__file__,)
CHECKPOINT = 's2m2.model_backend'
TIMEOUT = 1.0
HURRY = LOADING_SECONDS / 2  # for what must not wait until the network is loaded
END_SECONDS = 2.5


def moody(checkpoint, **more):
    return {'backend': 's2m2', CHECKPOINT: checkpoint, 'backend_timeout': TIMEOUT, **more}


@pytest.fixture(scope='module')
def nodes(start_node):
    """Nodes that start together."""
    starts = {
        '/kept': moody(GOOD),
        '/slow': moody(SLOW, autostart='false'),
        '/missing': moody('none.pth'),
        '/hanging': moody(HANGING),
        '/short': moody(SHORT),
    }
    return {name: start_node(name, values, program=PROGRAM) for name, values in starts.items()}


def assert_depth(robot, depths):
    depths.clear()
    assert median_error(pixels_of(robot.ask(depths)), DEPTH_M) < 0.01


def send_small(robot):
    """Publish a pair of the size that the moods are about."""
    left, right = textured_pair(*HUNG_SIZE)
    robot.send_infos(info_message(0.0, *HUNG_SIZE), info_message(TX, *HUNG_SIZE))
    return robot.send_images({'grey': left}, {'grey': right})


def backend_is(level, *words):
    return lambda status, _: status.level == level and all(w in status.message for w in words)


def test_services_and_diagnostics_answer_while_the_network_is_loaded(meet):
    node, robot = meet('/slow')
    depths = robot.listen('depth/image')
    began = time.monotonic()
    assert robot.change_state('CONFIGURE')
    assert robot.change_state('ACTIVATE')
    assert robot.state() == State.PRIMARY_STATE_ACTIVE
    assert robot.set_parameters({'points.decimation': 2}).successful
    robot.status('backend', backend_is(DiagnosticStatus.WARN, 'loading s2m2 slow.pth'))
    assert time.monotonic() - began < HURRY
    assert not node.lines('ready on')
    assert_depth(robot, depths)
    assert node.lines('ready on cpu with s2m2')
    assert not node.lines('[WARN]') and not node.lines('[ERROR]'), node.output


def test_a_change_that_cannot_be_loaded_is_set_back_and_the_old_one_goes_on(meet):
    node, robot = meet('/kept')
    depths = robot.listen('depth/image')
    assert_depth(robot, depths)
    assert robot.set_parameters({CHECKPOINT: 'none.pth', 'points.decimation': 2}).successful
    words = "s2m2 cannot be loaded: no checkpoint 'none.pth'", 'set back'
    node.wait_for_line('[ERROR]', *words)
    robot.status('backend', backend_is(DiagnosticStatus.WARN, *words))
    for _ in range(2):
        assert_depth(robot, depths)
    robot.wait_for(lambda: robot.get_parameters(CHECKPOINT) == {CHECKPOINT: GOOD}, 3.0, 'set back')
    assert robot.get_parameters('points.decimation') == {'points.decimation': 2}
    assert len(node.lines('[ERROR]')) == 1, node.output
    assert 'frame lost' not in node.output and 'Traceback' not in node.output


def test_the_same_goes_for_a_backend(meet):
    _, robot = meet('/kept')
    depths = robot.listen('depth/image')
    with robot.parameters(backend='sgbm'):
        assert_depth(robot, depths)
        both = {'backend': 's2m2', CHECKPOINT: 'none.pth'}
        assert robot.set_parameters(both).successful
        before = {'backend': 'sgbm', CHECKPOINT: GOOD}
        robot.wait_for(lambda: robot.get_parameters(*both) == before, 3.0, 'set back')
        assert_depth(robot, depths)
    assert_depth(robot, depths)


def test_a_start_without_its_checkpoint_stays_up_and_recovers(meet):
    node, robot = meet('/missing')
    depths = robot.listen('depth/image')
    words = "s2m2 cannot be loaded: no checkpoint 'none.pth'", 'nothing is computed'
    node.wait_for_line('[ERROR]', *words)
    robot.status('backend', backend_is(DiagnosticStatus.ERROR, *words), every=robot.send)
    assert not depths
    assert robot.set_parameters({CHECKPOINT: GOOD}).successful
    assert_depth(robot, depths)
    robot.status('backend', backend_is(DiagnosticStatus.OK, GOOD))
    assert len(node.lines('[ERROR]')) == 1, node.output


def test_a_hanging_backend_is_told_once_and_nobody_waits_for_it(meet):
    node, robot = meet('/hanging')
    depths = robot.listen('depth/image')
    assert_depth(robot, depths)
    robot.wait_for_readers(1)
    request = stereo_request(*(image_message(grey, 1) for grey in textured_pair(*HUNG_SIZE)))
    answers = [robot.request(RunStereoDepth, 'run_stereo_depth', request) for _ in range(2)]
    for answer in answers:
        robot.wait_for(answer.done, TIMEOUT + 3.0, 'an answer')
        assert not answer.result().success
        assert 'backend_timeout of 1 s' in answer.result().message
        assert 'cleanup, configure and activate' in answer.result().message
    robot.status('backend', backend_is(DiagnosticStatus.ERROR, 'has not come back for'))
    assert robot.set_parameters({'points.decimation': 2}).successful
    assert robot.call(Trigger, 'reset', Trigger.Request()).success
    told = [line for line in node.lines('[ERROR]', 'has not come back') if 'refused' not in line]
    assert len(told) == 1, node.output
    assert 'Traceback' not in node.output


def test_a_new_backend_in_place_of_a_hung_one_computes_again(meet):
    _, robot = meet('/hanging')
    depths = robot.listen('depth/image')
    for transition in ('DEACTIVATE', 'CLEANUP', 'CONFIGURE', 'ACTIVATE'):
        assert robot.change_state(transition)
    assert_depth(robot, depths)


def test_ctrl_c_ends_a_node_whose_backend_hangs(meet):
    node, robot = meet('/hanging')
    robot.listen('depth/image')
    robot.status(
        'backend',
        backend_is(DiagnosticStatus.ERROR, 'has not come back for'),
        every=lambda: send_small(robot),
    )
    node.signal(signal.SIGINT)
    assert node.wait_for_exit(END_SECONDS) == 0
    assert 'Traceback' not in node.output


def test_memory_that_runs_out_costs_one_frame_and_one_sentence(meet):
    node, robot = meet('/short')
    depths = robot.listen('depth/image')
    robot.status('output', lambda _, v: v['failed'] >= 3, every=lambda: send_small(robot))
    assert_depth(robot, depths)
    (line,) = node.lines('[ERROR]')
    assert 'frame lost: not enough memory for s2m2 at 64x48: send smaller images' in line
    assert 'Traceback' not in node.output
