# SPDX-License-Identifier: Apache-2.0
"""The real network, with weights by rule, from checkpoint file to topic."""

import depth_anything_rules as rules
import numpy as np
import pytest
import torch
from mono_robot import GREY, METRIC_OUTPUTS, MONO_NODE, MONO_OUTPUTS
from scene import pixels_of

from vizion3d_ros.contracts.settings.mono_settings import DepthAnythingSettings, MonoSettings
from vizion3d_ros.engine.depth_anything_v2 import DepthAnythingBackend

pytestmark = [pytest.mark.ros, pytest.mark.slow]

FILES = {'relative': 'rule_made_vits.pth', 'metric': 'rule_made_metric_hypersim_vits.pth'}
SMALL = 98


@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp('checkpoints')
    for name in FILES.values():
        torch.save(rules.state_dict('vits'), folder / name)
    return {kind: str(folder / name) for kind, name in FILES.items()}


@pytest.fixture(scope='module')
def nodes(checkpoints, start_node):
    parameters = {
        'depth_anything_v2.model_backend': checkpoints['relative'],
        'depth_anything_v2.input_size': SMALL,
        'device': 'cpu',
        'min_depth': 0.01,
    }
    return {'': start_node(parameters=parameters, program=MONO_NODE)}


def expected(checkpoint, input_size=SMALL):
    """What the backend answers here, of the same image."""
    network = DepthAnythingSettings(model_backend=checkpoint, input_size=input_size)
    settings = MonoSettings(device='cpu', depth_anything_v2=network)
    return DepthAnythingBackend().estimate(GREY, settings).values.numpy()


def assert_close(message, truth):
    assert np.abs(pixels_of(message) - truth).max() < 1e-4 * np.ptp(truth)


def test_a_relative_checkpoint_then_a_finer_one_then_a_metric_one(robot, node, checkpoints):
    heard = robot.listen_to(MONO_OUTPUTS)
    relative = heard['relative_depth/image']
    coarse = expected(checkpoints['relative'])
    assert np.ptp(coarse) > 0.1
    assert_close(robot.ask(relative), coarse)
    assert node.lines('Apache-2.0'), 'the licence is told'
    assert not any(heard[topic] for topic in METRIC_OUTPUTS)

    fine = expected(checkpoints['relative'], 2 * SMALL)
    assert np.abs(fine - coarse).max() > 0.1 * np.ptp(coarse)
    with robot.parameters(depth_anything_v2__input_size=2 * SMALL):
        relative.clear()
        assert_close(robot.ask(relative), fine)

    with robot.parameters(depth_anything_v2__model_backend=checkpoints['metric']):
        depths = heard['depth/image']
        assert_close(robot.ask(depths), expected(checkpoints['metric']))
        robot.wait_for(
            lambda: all(heard[topic] for topic in METRIC_OUTPUTS), what='all', every=robot.send
        )
        relative.clear()
        depths.clear()
        robot.ask(depths)
        assert len(relative) == 0
    assert len(node.lines('[WARN]', 'relative checkpoint')) == 1
    assert 'Traceback' not in node.output
