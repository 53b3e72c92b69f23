# SPDX-License-Identifier: Apache-2.0
"""Exported networks by every door: Python, command line, servers; and what may be named."""

import importlib
from argparse import Namespace

import cv2
import numpy as np
import pytest
from exported_networks import pair, stand_in

pytest.importorskip('onnx', reason='needs vizion3d_ros[onnx]')

from onnx import helper

from vizion3d_ros import lifting, stereo
from vizion3d_ros.cli import main as command_line
from vizion3d_ros.contracts.errors import BackendError, NotAllowedError
from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
from vizion3d_ros.doors import arguments
from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.doors.start import settings_of
from vizion3d_ros.lifting import DepthEstimationCommand
from vizion3d_ros.requests.permissions import permitted_model
from vizion3d_ros.stereo import StereoDepthAdvancedConfig, StereoDepthCommand

CALIBRATION = {'focal_length': 150.0, 'cx': 96.0, 'cy': 64.0, 'baseline': 60.0}
PATIENCE_S = 60.0
LEFT, RIGHT = pair()
SAYS = '{inputs: [{images: [left]}, {images: [right]}], output: {scale: 0.5}}'


@pytest.fixture(scope='module')
def worker(stereo_file, mono_file):
    """A worker whose own networks are exported ones, loaded already."""
    settings = ServiceSettings.model_validate(
        {
            'device': 'cpu',
            'preload': 'both',
            'backend': 'onnx',
            'onnx': {'model': str(stereo_file)},
            'mono_backend': 'onnx',
            'mono_onnx': {'model': str(mono_file)},
        }
    )
    worker = DepthWorker(lambda: settings)
    worker.preload()
    yield worker
    worker.close(PATIENCE_S)


def stereo_command(model='', **fields):
    return StereoDepthCommand(
        left_image=LEFT,
        right_image=RIGHT,
        model_backend=str(model),
        advanced_config=StereoDepthAdvancedConfig(**CALIBRATION),
        **fields,
    )


def test_python_names_a_file_as_it_names_a_checkpoint(stereo_file, mono_file):
    importlib.reload(stereo)
    result = stereo.StereoDepth(device='cpu').run(stereo_command(stereo_file))
    assert result.backend_used == str(stereo_file)
    seen = result.disparity > 0
    np.testing.assert_allclose(result.depth[seen], 9 / result.disparity[seen], rtol=1e-4)
    importlib.reload(lifting)
    command = DepthEstimationCommand(image_input=LEFT, model_backend=str(mono_file))
    relative = lifting.DepthEstimation(device='cpu').run(command)
    assert not relative.is_metric
    assert relative.backend_used == str(mono_file)
    assert np.ptp(relative.depth) > 0


def test_a_server_answers_by_its_own_networks(worker, stereo_file, mono_file):
    found = worker.stereo(stereo_command()).result(PATIENCE_S)
    assert found.backend_used == str(stereo_file)
    by_name = worker.stereo(stereo_command(stereo_file)).result(PATIENCE_S)
    np.testing.assert_array_equal(by_name.disparity, found.disparity)
    command = DepthEstimationCommand(image_input=LEFT, model_backend='')
    assert worker.mono(command).result(PATIENCE_S).backend_used == str(mono_file)


def test_a_server_still_has_the_matcher_without_weights(worker):
    found = worker.stereo(stereo_command('opencv-sgbm')).result(PATIENCE_S)
    assert found.backend_used == 'opencv-sgbm'


def test_another_file_needs_permission(worker, mono_file, tmp_path):
    other = tmp_path / 'other.onnx'
    other.write_bytes(mono_file.read_bytes()[:100])
    with pytest.raises(NotAllowedError, match=r'requests\.allowed_models'):
        worker.stereo(stereo_command(other))
    assert permitted_model(str(other), '', ['', str(tmp_path)]) == str(other)
    with pytest.raises(NotAllowedError):
        permitted_model(str(tmp_path / 'sub' / '..' / '..' / 'x.onnx'), '', [str(tmp_path)])


@pytest.fixture
def foreign(tmp_path):
    """Make a network of others that answers the mean of the left image, in shares of 255."""

    def make(name, profile=''):
        nodes = [helper.make_node('ReduceMean', ['l'], ['d'], axes=[1], keepdims=1)]
        inputs = {'l': [1, 3, 128, 192], 'r': [1, 3, 128, 192]}
        path = stand_in(tmp_path / name, inputs, nodes, {'d': [1, 1, 128, 192]}, 13)
        if profile:
            path.with_suffix('.yaml').write_text(profile)
        return path

    return make


def answer(settings, model):
    """The disparity that a request for a model gets from a server with these settings."""
    worker = DepthWorker(lambda: ServiceSettings.model_validate(settings))
    try:
        return worker.stereo(stereo_command(model)).result(PATIENCE_S).disparity
    finally:
        worker.close(PATIENCE_S)


def test_another_file_that_says_nothing_gets_the_profile_of_the_server(foreign, stereo_file):
    own, other, says = foreign('own.onnx'), foreign('other.onnx'), foreign('says.onnx', SAYS)
    profile = own.parent / 'profile.yaml'
    profile.write_text(SAYS.replace('0.5', '0.25'))
    settings = {
        'device': 'cpu',
        'backend': 'onnx',
        'onnx': {'model': str(own), 'profile': str(profile)},
        'requests': {'allowed_models': [str(own.parent), str(stereo_file)]},
    }
    mean = LEFT.mean(axis=2)
    for model, share in (('', 0.25), (own, 0.25), (other, 0.25), (says, 0.5)):
        np.testing.assert_allclose(answer(settings, model), share * mean, rtol=1e-3)
    exported = stereo.StereoDepth(device='cpu').run(stereo_command(stereo_file)).disparity
    np.testing.assert_allclose(answer(settings, stereo_file), exported, atol=1e-3)
    settings['onnx'] = {'model': str(own), 'profile': f'auto, {profile}'}
    np.testing.assert_allclose(answer(settings, ''), 0.25 * mean, rtol=1e-3)
    settings['onnx'] = {}
    with pytest.raises(BackendError, match=r'other\.onnx does not say what it takes'):
        answer(settings, other)


def test_flags_of_the_servers_take_files(stereo_file, mono_file):
    flags = ['--stereo_model', str(stereo_file), '--depth_model', str(mono_file)]
    asked: Namespace = arguments.parse(arguments.REST, flags)
    settings = settings_of(asked)
    assert settings.preload == 'both'
    assert settings.stereo().checkpoint == str(stereo_file)
    assert settings.mono().checkpoint == str(mono_file)
    plain = settings_of(arguments.parse(arguments.REST, []))
    assert (plain.backend, plain.mono().backend) == ('s2m2', 'depth_anything_v2')


def test_the_command_line_matches_by_a_file(stereo_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr('logging.basicConfig', lambda **settings: None)
    names = [tmp_path / 'left.png', tmp_path / 'right.png']
    for name, image in zip(names, (LEFT, RIGHT)):
        assert cv2.imwrite(str(name), image[..., ::-1])
    numbers = ['--fx', '150', '--cx', '96', '--cy', '64', '--baseline-mm', '60']
    call = ['stereo', *map(str, names), *numbers, '--backend', str(stereo_file)]
    with pytest.raises(SystemExit) as ended:
        command_line.main([*call, '--device', 'cpu', '--out', str(tmp_path / 'out')])
    assert ended.value.code == 0
    assert 'rule_made_stereo.onnx' in capsys.readouterr().out
    assert np.isfinite(np.load(tmp_path / 'out' / 'depth.npy')).mean() > 0.5
