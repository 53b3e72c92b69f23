# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

torch = pytest.importorskip('torch')

from random_weights import ENCODER, write_random_checkpoint  # noqa: E402

from vizion3d_ros.engine.networks import depth_anything_v2  # noqa: E402


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'random.pth'
    write_random_checkpoint(path)
    return torch.load(path, weights_only=True)


@pytest.fixture(scope='module')
def network(weights):
    with torch.device('meta'):
        network = depth_anything_v2.build(ENCODER)
    network.load_state_dict(weights, assign=True)
    return network


def answer(network, seed):
    noise = np.random.default_rng(seed).standard_normal((8, 8, 3)).astype(np.float32)
    image = cv2.resize(noise, (84, 84), interpolation=cv2.INTER_CUBIC)
    with torch.inference_mode():
        return network(torch.from_numpy(image).permute(2, 0, 1)[None])[0]


def test_the_answer_varies_over_the_picture_and_with_it(network):
    first, second = answer(network, 0), answer(network, 1)
    for values in (first, second):
        assert torch.isfinite(values).all() and (values > 0).float().mean() > 0.99
        assert values.std() > 0.05 * values.mean()
    assert (first - second).abs().mean() > 0.02 * first.mean()


def test_the_checkpoint_is_always_the_same(weights, tmp_path):
    again = tmp_path / 'again.pth'
    write_random_checkpoint(again)
    repeated = torch.load(again, weights_only=True)
    assert all(torch.equal(values, repeated[name]) for name, values in weights.items())
