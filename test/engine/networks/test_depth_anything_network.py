# SPDX-License-Identifier: Apache-2.0
"""The network as a whole: names, loading, sizes, batches, precision, state."""

import depth_anything_rules as rules
import pytest
import torch
import torch.nn.functional as F

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.engine.networks.depth_anything_v2 import build
from vizion3d_ros.engine.networks.linear import Linear
from vizion3d_ros.engine.networks.sizes import DEPTH_ANYTHING_SIZES

pytestmark = pytest.mark.usefixtures('one_thread')


def made(metric_max_depth=None):
    network = build('vits', metric_max_depth)
    network.load_state_dict(rules.state_dict())
    return network


@pytest.fixture(scope='module')
def network():
    return made()


def answer(network, x):
    with torch.inference_mode():
        return network(x)


def picture(height=42, width=56, batch=1):
    return rules.network_input('a picture', (batch, 3, height, width))


# --- names and loading -----------------------------------------------------------------------


@pytest.mark.parametrize('encoder', DEPTH_ANYTHING_SIZES)
@pytest.mark.parametrize('metric_max_depth', [None, 20.0])
def test_names_shapes_and_their_order_are_the_published_ones(encoder, metric_max_depth):
    with torch.device('meta'):
        network = build(encoder, metric_max_depth)
    found = {name: list(x.shape) for name, x in network.state_dict().items()}
    assert list(found.items()) == list(rules.STATE_DICTS[encoder].items())


def test_the_encoders_differ_in_width_by_which_checkpoints_are_told_apart():
    assert len({size.width for size in DEPTH_ANYTHING_SIZES.values()}) == len(DEPTH_ANYTHING_SIZES)


def test_an_unknown_encoder_is_an_error():
    with pytest.raises(KeyError):
        build('vitx')


def test_a_network_without_memory_takes_over_the_loaded_weights(network):
    with torch.device('meta'):
        empty = build('vits')
    empty.load_state_dict(rules.state_dict(), assign=True)
    assert torch.equal(answer(empty, picture()), answer(network, picture()))


@pytest.mark.parametrize(
    'name',
    [
        'pretrained.norm.bias',
        'pretrained.mask_token',  # without influence, but in every published file
        'depth_head.scratch.refinenet4.resConfUnit1.conv1.weight',
    ],
)
def test_every_weight_is_needed(name, network):
    weights = dict(rules.state_dict())
    del weights[name]
    with pytest.raises(RuntimeError, match=name):
        network.load_state_dict(weights)


# --- what goes in and out --------------------------------------------------------------------


@pytest.mark.parametrize(
    'shape', [(1, 3, 42, 55), (1, 3, 43, 56), (1, 3, 0, 56), (1, 1, 42, 56), (3, 42, 56)]
)
def test_other_sizes_are_refused(shape, network):
    with pytest.raises(InputError, match='multiples of 14, got') as refusal:
        network(torch.zeros(shape))
    assert str(shape) in str(refusal.value)


@pytest.mark.parametrize('size', [(14, 14), (14, 28), (70, 14)])
def test_the_smallest_images_are_answered(size, network):
    found = answer(network, picture(*size))
    assert found.shape == (1, *size)
    assert torch.isfinite(found).all()


def test_an_image_gets_the_same_answer_alone_and_in_a_batch(network):
    x = picture(batch=2)
    alone = torch.cat([answer(network, x[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(answer(network, x), alone, rtol=0, atol=2e-5)


def test_a_metric_answer_is_a_share_of_the_largest_depth(network):
    relative, metric = answer(network, picture()), answer(made(20.0), picture())
    seen = relative > 0  # the relative answer is what the sigmoid takes, cut off at 0
    torch.testing.assert_close(metric[seen], 20 * relative[seen].sigmoid())
    assert (metric[~seen] <= 10).all()
    assert (metric > 0).all()


def test_half_precision_answers_in_float32_and_stays_close(network):
    x = picture()
    full, half = answer(network, x), answer(made().bfloat16(), x)
    assert half.dtype == torch.float32
    assert (half - full).abs().max() < 0.1 * full.max()


def test_gradients_flow_outside_inference_mode():
    network = made(80.0)
    x = picture().requires_grad_()
    depth = network(x)
    torch.testing.assert_close(depth.detach(), answer(network, x.detach()), rtol=1e-4, atol=1e-4)
    depth.mean().backward()
    assert x.grad.abs().max() > 0
    assert network.pretrained.pos_embed.grad.abs().max() > 0


# --- state -----------------------------------------------------------------------------------


def test_calls_leave_no_trace(network):
    x = picture()
    before = x.clone(), list(network.state_dict())
    first = answer(network, x)
    answer(network, picture(56, 42))
    assert torch.equal(first, answer(network, x))
    assert torch.equal(x, before[0])
    assert list(network.state_dict()) == before[1]


def test_other_weights_give_other_positions():
    network, weights = made(), dict(rules.state_dict())
    before = answer(network, picture())
    weights['pretrained.pos_embed'] = -weights['pretrained.pos_embed']
    network.load_state_dict(weights)
    fresh = build('vits')
    fresh.load_state_dict(weights)
    assert torch.equal(answer(network, picture()), answer(fresh, picture()))
    assert not torch.equal(answer(network, picture()), before)


def test_a_converted_network_has_positions_of_its_precision(network):
    moved = made()
    answer(moved, picture())
    moved.double()
    assert answer(moved, picture()).dtype == torch.float64
    torch.testing.assert_close(answer(moved.float(), picture()), answer(network, picture()))


def test_a_step_of_training_changes_the_positions():
    network = made()
    before = answer(network, picture())
    network(picture()).mean().backward()
    with torch.no_grad():
        network.pretrained.pos_embed.neg_()
    after = answer(network, picture())
    weights = {**rules.state_dict(), 'pretrained.pos_embed': network.pretrained.pos_embed}
    network.load_state_dict(weights)
    assert torch.equal(after, answer(network, picture()))
    assert not torch.equal(after, before)


def test_no_global_setting_is_touched(network):
    def settings():
        return (
            torch.get_default_dtype(),
            torch.get_num_threads(),
            torch.is_grad_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.cudnn.benchmark,
            torch.backends.cuda.matmul.allow_tf32,
        )

    before = settings()
    answer(network, picture())
    assert settings() == before


# --- ways to run it --------------------------------------------------------------------------


@pytest.mark.parametrize('shape', [(1, 7, 24), (2, 5, 24)])
def test_a_product_as_a_convolution(shape):
    layer, x = Linear(24, 10), torch.randn(*shape)
    expected = F.linear(x.double(), layer.weight.double(), layer.bias.double())
    for found in (layer(x), layer(x.flip(1)).flip(1), layer.double()(x.double())):
        assert found.shape == expected.shape
        torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-5)


def test_compiles_into_one_graph(network):
    whole = torch.compile(network, backend='eager', fullgraph=True)
    expected = answer(network, picture())
    torch.testing.assert_close(answer(whole, picture()), expected, rtol=0, atol=2e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize(('dtype', 'allowed'), [(torch.float32, 1e-2), (torch.float16, 2e-2)])
def test_a_gpu_agrees_and_never_waits_for_the_host(network, dtype, allowed):
    expected = answer(network, picture())
    there, x = made().to('cuda', dtype), picture().cuda()
    answer(there, x)
    torch.cuda.set_sync_debug_mode('error')
    try:
        found = answer(there, x)
    finally:
        torch.cuda.set_sync_debug_mode('default')
    assert (found.cpu() - expected).abs().max() < allowed * expected.max()
