# SPDX-License-Identifier: Apache-2.0
"""The node with an exported network: it starts, reloads and fails as with every other backend."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from exported_networks import exported, stand_in
from harness import values_of
from mono_robot import MONO_NODE
from scene import image_message, pixels_of, textured_pair
from sensor_msgs.msg import Image
from service_calls import stereo_request

from vizion3d_interfaces.srv import RunStereoDepth

pytestmark = [pytest.mark.ros, pytest.mark.slow]
PATIENCE = 60.0  # a network on a busy CPU
MODEL = 'onnx.model'
WIDE = {'min_depth': 0.01, 'max_depth': 10000.0, 'device': 'cpu', 'backend': 'onnx'}


@pytest.fixture(scope='module')
def stereo_file(tmp_path_factory):
    return exported(tmp_path_factory, 'stereo')[0]


@pytest.fixture(scope='module')
def mono_file(tmp_path_factory):
    return exported(tmp_path_factory, 'mono')[0]


@pytest.fixture(scope='module')
def nodes(start_node, stereo_file, mono_file):
    """Nodes that start together."""
    mono = {'device': 'cpu', 'backend': 'onnx', MODEL: str(mono_file)}
    return {
        '/exported': start_node('/exported', {**WIDE, MODEL: str(stereo_file)}),
        '/single': start_node('/single', mono, program=MONO_NODE),
        '/none': start_node('/none', WIDE),
    }


@pytest.fixture
def exhausting(tmp_path):
    """A network that wants terabytes."""
    from onnx import helper

    path = tmp_path / 'exhausting.onnx'
    nodes = [
        helper.make_node('Expand', ['l', 'shape'], ['large']),
        helper.make_node('ReduceMean', ['large'], ['d'], axes=[0, 1], keepdims=1),
    ]
    constants = {'shape': np.array([2**26, 3, 64, 96], np.int64)}
    inputs = {'l': [1, 3, 64, 96], 'r': [1, 3, 64, 96]}
    stand_in(path, inputs, nodes, {'d': [1, 1, 64, 96]}, 13, constants=constants)
    path.with_suffix('.yaml').write_text('{inputs: [{images: [left]}, {images: [right]}]}')
    return path


def test_pairs_are_answered_and_diagnostics_say_by_what(meet, stereo_file):
    node, robot = meet('/exported')
    node.wait_for_line('ready on cpu with onnx', timeout=PATIENCE)
    assert node.lines('rule_made_stereo.onnx', 'S2M2-S, cpu, float32, 192x128', 'CC BY-NC')
    heard = robot.listen_to({'depth/image': Image, 'confidence/image': Image})
    robot.wait_for(lambda: all(heard.values()), PATIENCE, 'depth and confidence', robot.send_pair)
    metres = pixels_of(heard['depth/image'][-1])
    assert np.isfinite(metres).mean() > 0.5
    assert 0 < pixels_of(heard['confidence/image'][-1]).max() <= 1
    status = robot.status(
        'backend', lambda status, _: 'S2M2-S' in status.message, every=robot.send
    )
    values = values_of(status)
    assert status.level == DiagnosticStatus.OK
    assert 'cpu, float32' in status.message
    assert values['checkpoint'] == str(stereo_file)
    assert values['licence'].startswith('CC BY-NC 4.0')


def test_a_request_is_answered_by_the_loaded_network(meet, stereo_file):
    _, robot = meet('/exported')
    request = stereo_request(*(image_message(grey, 1) for grey in textured_pair(96, 64)))
    answer = robot.call(RunStereoDepth, 'run_stereo_depth', request, timeout=PATIENCE)
    assert answer.success, answer.message
    assert answer.backend_used == str(stereo_file)


def test_files_that_fail_are_set_back_and_the_old_one_goes_on(
    meet, stereo_file, exhausting, tmp_path
):
    node, robot = meet('/exported')
    page = tmp_path / 'page.onnx'
    page.write_text('<html>login</html>')
    depths = robot.listen('depth/image')
    for bad, words in ((page, 'HTML or XML page'), (exhausting, 'not enough memory')):
        assert robot.set_parameters({MODEL: str(bad)}).successful
        node.wait_for_line('[ERROR]', 'onnx cannot be loaded', words, 'set back', timeout=PATIENCE)
        kept = {MODEL: str(stereo_file)}
        robot.wait_for(lambda kept=kept: robot.get_parameters(MODEL) == kept, 5.0, 'set back')
        depths.clear()
        assert np.isfinite(pixels_of(robot.ask(depths, timeout=PATIENCE))).any()
    refused = robot.set_parameters({MODEL: str(tmp_path / 'none.onnx')})
    assert not refused.successful
    assert 'onnx.model: ' in refused.reason and 'is no file' in refused.reason
    assert 'Traceback' not in node.output


def test_one_camera_is_answered_too(meet, mono_file):
    node, robot = meet('/single')
    node.wait_for_line('ready on cpu with onnx', timeout=PATIENCE)
    relative = robot.listen('relative_depth/image')
    answer = pixels_of(robot.ask(relative, timeout=PATIENCE))
    assert np.ptp(answer) > 0
    robot.status('backend', lambda status, _: str(mono_file) in status.message)


def test_without_a_file_the_node_stays_up_and_says_what_to_give(meet, stereo_file):
    node, robot = meet('/none')
    node.wait_for_line('[ERROR]', 'onnx cannot be loaded', "onnx.model is ''", timeout=PATIENCE)
    assert robot.set_parameters({MODEL: str(stereo_file)}).successful
    node.wait_for_line('ready on cpu with onnx', timeout=PATIENCE)
    assert 'Traceback' not in node.output
