# SPDX-License-Identifier: Apache-2.0
"""The node with an exported network: it starts, reloads and fails as with every other backend."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from exported_networks import stand_in
from harness import values_of
from mono_robot import MONO_NODE
from robots import SERVICE_NODE
from scene import image_message, pixels_of, textured_pair
from sensor_msgs.msg import Image
from service_calls import mono_request, stereo_request

from vizion3d_interfaces.srv import RunDepthEstimation, RunStereoDepth

pytestmark = [pytest.mark.ros, pytest.mark.slow]
PATIENCE = 60.0  # a network on a busy CPU
MODEL = 'onnx.model'
WIDE = {'min_depth': 0.01, 'max_depth': 10000.0, 'device': 'cpu', 'backend': 'onnx'}


@pytest.fixture(scope='module')
def nodes(start_node, stereo_file, mono_file):
    """Nodes that start together."""
    mono = {'device': 'cpu', 'backend': 'onnx', MODEL: str(mono_file)}
    serving = {'device': 'cpu', 'backend': 'onnx', MODEL: str(stereo_file), 'preload': 'both'}
    serving |= {'mono_backend': 'onnx', 'mono_onnx.model': str(mono_file)}
    return {
        '/exported': start_node('/exported', {**WIDE, MODEL: str(stereo_file)}),
        '/single': start_node('/single', mono, program=MONO_NODE),
        '/none': start_node('/none', WIDE),
        '/service': start_node('/service', serving, program=SERVICE_NODE),
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


@pytest.mark.parametrize(
    ('name', 'value', 'words'),
    [
        ('onnx.sha256', '0' * 64, ('has the SHA-256', 'expected 000')),
        ('onnx.providers', 'tensorrt', ("'tensorrt' is not in this onnxruntime",)),
        ('onnx.precision', 'float16', ('float16 was asked for', '--precision float16')),
        ('onnx.profile', 'hitnet', ('the network takes left 1x3x128x192',)),
    ],
)
def test_settings_that_do_not_fit_are_set_back_and_frames_go_on(meet, name, value, words):
    node, robot = meet('/exported')
    before = robot.get_parameters(name)
    depths = robot.listen('depth/image')
    assert robot.set_parameters({name: value}).successful
    node.wait_for_line('[ERROR]', *words, 'set back', timeout=PATIENCE)
    robot.wait_for(lambda: robot.get_parameters(name) == before, 5.0, 'set back')
    depths.clear()
    assert np.isfinite(pixels_of(robot.ask(depths, timeout=PATIENCE))).any()


def test_a_network_of_others_takes_its_place_while_the_node_runs(meet, stereo_file, tmp_path):
    """At the size that the profile says, as its file takes any."""
    from onnx import helper

    _, robot = meet('/exported')
    path = tmp_path / 'tenth.onnx'
    nodes = [
        helper.make_node('ReduceMean', ['l'], ['mean'], axes=[1], keepdims=1),
        helper.make_node('Mul', ['mean', 'tenth'], ['d']),
    ]
    inputs = {'l': [1, 3, 'h', 'w'], 'r': [1, 3, 'h', 'w']}
    constants = {'tenth': np.array(0.1, np.float32)}
    stand_in(path, inputs, nodes, {'d': [1, 1, 'h', 'w']}, 13, constants=constants)
    path.with_suffix('.yaml').write_text(
        '{network: Tenth, licence: ours, size: [64, 96], '
        'inputs: [{images: [left]}, {images: [right]}]}'
    )
    depths = robot.listen('depth/image')
    for model, name in ((path, '(Tenth, cpu, float32, 96x64)'), (stereo_file, '(S2M2-S, cpu')):
        assert robot.set_parameters({MODEL: str(model)}).successful
        status = robot.status(
            'backend', lambda status, _, name=name: name in status.message, PATIENCE, robot.send
        )
        licence = values_of(status)['licence']
        assert licence == ('ours' if model == path else 'CC BY-NC 4.0 (no commercial use)')
    assert np.isfinite(pixels_of(depths[-1])).any()


def test_one_camera_is_answered_too(meet, mono_file, stereo_file, tmp_path):
    node, robot = meet('/single')
    node.wait_for_line('ready on cpu with onnx', timeout=PATIENCE)
    assert node.lines('rule_made_mono.onnx', 'vits, cpu, float32, 140x140', 'Apache-2.0')
    relative = robot.listen('relative_depth/image')
    answer = pixels_of(robot.ask(relative, timeout=PATIENCE))
    assert np.ptp(answer) > 0
    status = robot.status('backend', lambda status, _: str(mono_file) in status.message)
    assert 'cpu, float32' in status.message
    assert values_of(status)['licence'] == 'Apache-2.0'
    cut = tmp_path / 'cut.onnx'
    cut.write_bytes(mono_file.read_bytes()[:1000])
    for bad, words in ((cut, 'cut short'), (stereo_file, 'takes two images, but one')):
        assert robot.set_parameters({MODEL: str(bad)}).successful
        node.wait_for_line('[ERROR]', words, 'set back', timeout=PATIENCE)
        relative.clear()
        assert np.ptp(pixels_of(robot.ask(relative, timeout=PATIENCE))) > 0


def test_the_node_that_serves_answers_by_both(meet, stereo_file, mono_file, tmp_path):
    node, robot = meet('/service')
    left, right = (image_message(grey, 1) for grey in textured_pair(96, 64))
    config = {'focal_length': 100.0, 'baseline': 100.0}
    answer = robot.call(
        RunStereoDepth, 'run_stereo_depth', stereo_request(left, right, config), timeout=PATIENCE
    )
    assert (answer.success, answer.backend_used) == (True, str(stereo_file)), answer.message
    answer = robot.call(
        RunDepthEstimation, 'run_depth_estimation', mono_request(left), timeout=PATIENCE
    )
    assert (answer.success, answer.backend_used) == (True, str(mono_file)), answer.message
    gone = robot.set_parameters({MODEL: str(tmp_path / 'gone.onnx')})
    assert not gone.successful and 'is no file' in gone.reason
    assert 'Traceback' not in node.output


def test_without_a_file_the_node_stays_up_and_says_what_to_give(meet, stereo_file):
    node, robot = meet('/none')
    node.wait_for_line('[ERROR]', 'onnx cannot be loaded', "onnx.model is ''", timeout=PATIENCE)
    assert robot.set_parameters({MODEL: str(stereo_file)}).successful
    node.wait_for_line('ready on cpu with onnx', timeout=PATIENCE)
    assert 'Traceback' not in node.output
