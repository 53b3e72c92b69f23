# SPDX-License-Identifier: Apache-2.0
"""What a node says of itself in every state of its lifecycle."""

import moody_stereo_node
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from lifecycle_msgs.srv import ChangeState
from moody_stereo_node import GOOD, SLOW
from scene import DEPTH_M, median_error, pixels_of
from service_calls import stereo_request
from std_srvs.srv import SetBool

from vizion3d_interfaces.srv import RunStereoDepth

pytestmark = pytest.mark.ros

WAITING = {'autostart': 'false'}
LOADING = {**WAITING, 'backend': 's2m2', 's2m2.model_backend': SLOW}


@pytest.fixture(scope='module')
def nodes(start_node):
    """Nodes that start together."""
    return {
        '/waiting': start_node('/waiting', WAITING),
        '/asked': start_node('/asked', WAITING),
        '/ended': start_node('/ended', WAITING),
        '/loading': start_node('/loading', LOADING, program=(moody_stereo_node.__file__,)),
    }


def change(robot, label):
    request = ChangeState.Request()
    request.transition.label = label
    return robot.call(ChangeState, 'change_state', request).success


def test_who_listens_to_a_node_that_nobody_activates_is_told(meet):
    node, robot = meet('/waiting')
    node.wait_for_line('[INFO]', 'it takes images after `configure` and `activate`')
    status = robot.status('lifecycle')
    assert (status.level, 'unconfigured' in status.message) == (DiagnosticStatus.OK, True)

    depths = robot.listen('depth/image')
    for state, label in (('unconfigured', 'configure'), ('inactive', 'activate')):
        words = f'somebody listens to /waiting/depth/image, but the node is {state}', 'autostart'
        robot.status('lifecycle', lambda s, _, w=words: all(x in s.message for x in w), 3.0)
        node.wait_for_line('[WARN]', *words, timeout=3.0)
        assert change(robot, label)
    robot.status('lifecycle', lambda s, _: s.message == 'active', 3.0)
    assert median_error(pixels_of(robot.ask(depths)), DEPTH_M) < 0.01

    assert change(robot, 'deactivate')
    idle = 'idle: inactive: it takes images after `activate`'
    robot.status('sync', lambda s, _: s.message == idle, 3.0)
    assert robot.status('lifecycle').level == DiagnosticStatus.OK  # it was asked to


def test_a_refused_transition_is_told_with_those_that_are_possible(meet):
    node, robot = meet('/asked')
    for label in ('nonsense', 'activate'):
        assert not change(robot, label)
        node.wait_for_line(
            f'transition {label} refused: the node is unconfigured; '
            'possible now: configure or shutdown'
        )
    assert 'rcl_lifecycle' not in node.output


def test_a_node_that_was_shut_down_says_how_to_go_on(meet):
    node, robot = meet('/ended')
    cure = 'shut down: end this process and start it anew'
    assert change(robot, 'shutdown')
    node.wait_for_line('[INFO]', cure)
    robot.status('lifecycle', lambda s, _: s.message == cure, 3.0)
    assert not change(robot, 'configure')
    node.wait_for_line('[WARN]', f'transition configure refused: the node is finalized; {cure}')
    answer = robot.call(RunStereoDepth, 'run_stereo_depth', stereo_request(b'', b''))
    assert not answer.success and 'once its process was started anew' in answer.message
    answer = robot.call(SetBool, 'set_enabled', SetBool.Request(data=True))
    assert (answer.success, answer.message) == (False, f'the node is {cure}')


def test_a_load_that_was_cleaned_up_reports_no_readiness(meet):
    node, robot = meet('/loading')
    assert change(robot, 'configure') and change(robot, 'activate')
    assert change(robot, 'deactivate') and change(robot, 'cleanup')
    assert robot.set_parameters({'s2m2.model_backend': GOOD}).successful
    assert change(robot, 'configure') and change(robot, 'activate')
    node.wait_for_line('ready on')
    robot.spin_for(moody_stereo_node.LOADING_SECONDS)
    assert len(node.lines('ready on')) == 1
