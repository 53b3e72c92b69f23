# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

pytest.importorskip('rclpy')

from scene_depth_node import SceneDepth, drift

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.testbed.scene import SyntheticScene

pytestmark = pytest.mark.ros

RATE_HZ = 2.0
SETTINGS = MonoSettings()


@pytest.fixture(scope='module')
def frames():
    rig = StereoRig.from_field_of_view(640, 480, 65.0, 0.12)
    scene = SyntheticScene(rig)
    return [scene.at(index / RATE_HZ) for index in (0, 3, 5)]


@pytest.fixture
def network():
    return SceneDepth(RATE_HZ)


def test_every_answer_is_another_affine_image_of_the_inverse_depth(network, frames):
    for index, frame in enumerate(frames):  # the last one lies on the way back
        estimate = network.estimate(frame.left.copy(), SETTINGS)
        assert not estimate.metric
        factor, offset = np.polyfit(1 / frame.depth_m.ravel(), estimate.values.numpy().ravel(), 1)
        assert (factor, offset) == pytest.approx(drift(index), rel=1e-3)
        assert (estimate.values > 0).all()


def test_scale_and_shift_drift():
    factors, offsets = np.transpose([drift(index) for index in range(60)])
    for values in (factors, offsets):
        assert values.min() > 0 and values.max() / values.min() > 1.5
        assert 0 < np.median(np.abs(np.diff(values) / values[1:])) < 0.1


def test_an_image_that_warms_up_gets_zeros(network):
    estimate = network.estimate(np.zeros((56, 84, 3), np.uint8), SETTINGS)
    assert estimate.values.shape == (56, 84) and not estimate.values.any()


def test_an_image_of_something_else_is_an_error(network, frames):
    with pytest.raises(BackendError, match='not this image'):
        network.estimate(frames[0].right, SETTINGS)
