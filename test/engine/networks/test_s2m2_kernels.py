# SPDX-License-Identifier: Apache-2.0
"""Each fast step against its plain form."""

import pytest
import torch
import torch.nn.functional as F
from plain_s2m2 import (
    PLAIN,
    plain_convex_sum,
    plain_encoded_attention,
    plain_look_up,
    plain_transport,
)

from vizion3d_ros.engine.networks.s2m2.attention import (
    CrossAttention,
    EncodedSelfAttention,
    SelfAttention,
)
from vizion3d_ros.engine.networks.s2m2.blocks import Convolution, UpStep
from vizion3d_ros.engine.networks.s2m2.kernels import winograd
from vizion3d_ros.engine.networks.s2m2.kernels.attention import encoded_attention
from vizion3d_ros.engine.networks.s2m2.kernels.convex import convex_sum
from vizion3d_ros.engine.networks.s2m2.kernels.lookup import look_up
from vizion3d_ros.engine.networks.s2m2.kernels.positions import axis_table
from vizion3d_ros.engine.networks.s2m2.kernels.transport import transport
from vizion3d_ros.engine.networks.s2m2.refinement import Joining, SeparableGru
from vizion3d_ros.engine.networks.s2m2.revisions import REVISIONS
from vizion3d_ros.engine.networks.s2m2.upsampling import convex_weights

pytestmark = pytest.mark.usefixtures('one_thread')
ROUNDING = 1e-12


@pytest.fixture(autouse=True)
def exact():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    with torch.inference_mode():
        yield
    torch.set_default_dtype(before)


def close(fast, plain):
    assert fast.shape == plain.shape
    assert (fast - plain).abs().max() < ROUNDING


def close_layer(layer, *inputs):
    fast = layer(*inputs)
    layer.__class__ = PLAIN[type(layer)]
    close(fast, layer(*inputs))


@pytest.mark.parametrize('allow_negative', [False, True])
@pytest.mark.parametrize('scale', [1, 30])
def test_transport(allow_negative, scale):
    scores = torch.randn(2, 5, 24, 24) * scale
    fast, plain = (form(scores, allow_negative) for form in (transport, plain_transport))
    close(torch.cat(fast, 1), torch.cat(plain, 1))


@pytest.mark.parametrize('allow_negative', [False, True])
def test_transport_of_scores_that_no_exponential_can_hold(allow_negative):
    """So sharp a plan has ties, so the place of its maxima may differ, not its row sums."""
    scores = torch.randn(2, 5, 24, 24) * 2000
    fast, plain = (form(scores, allow_negative) for form in (transport, plain_transport))
    assert all(torch.isfinite(x).all() for x in fast)
    assert (fast[2] - plain[2]).abs().max() < 1e-11


@pytest.mark.parametrize('form', [transport, plain_transport])
def test_transport_leaves_the_scores_alone_and_finds_a_clear_match(form):
    scores = torch.full((1, 2, 16, 16), -20.0)
    left = torch.arange(5, 16)
    scores[:, :, left, left - 3] = 20.0
    before = scores.clone()
    disparity, confidence, visibility = form(scores, False)
    assert torch.equal(scores, before)
    assert (disparity[..., 5:] - 3).abs().max() < 1e-2
    for share in (confidence, visibility):  # the dustbin keeps its part even of these
        assert share[..., 5:].min() > 0.7
        assert share[..., :5].max() < 1e-6
    assert all(x.shape == (1, 1, 2, 16) for x in (disparity, confidence, visibility))


def test_look_up():
    inputs = torch.randn(2, 8, 16, 16), torch.rand(2, 1, 8, 16) * 60 - 30
    close(torch.cat(look_up(*inputs), 1), torch.cat(plain_look_up(*inputs), 1))


def test_look_up_reads_what_is_there():
    scores = torch.arange(16.0).expand(1, 1, 16, 16)
    near, far = look_up(scores, torch.full((1, 1, 1, 16), 1.5))
    assert near[0, :, 0, 8].tolist() == [2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5]
    # Halved columns 0, 1, ... hold 0.5, 2.5, ...; they are read at 3.25 - 4 ... 3.25 + 4.
    inside = [1.0, 3.0, 5.0, 7.0, 9.0, 11.0]
    assert far[0, :, 0, 8].tolist() == [0.25 * 0.5, *inside, 13.0, 0.75 * 14.5]


@pytest.mark.parametrize('grid', [(1, 1), (2, 3), (4, 2)])
def test_encoded_attention(grid):
    heads = [torch.randn(2, 3, grid[0] * grid[1], 8) for _ in range(3)]
    forms = encoded_attention, plain_encoded_attention
    for fast, plain in zip(*(form(*heads, grid) for form in forms)):
        close(fast, plain)


@pytest.mark.parametrize('kind', [SelfAttention, EncodedSelfAttention])
def test_self_attention(kind):
    close_layer(kind(24, 3), torch.randn(2, 6, 24), (2, 3))


def test_cross_attention():
    close_layer(CrossAttention(24, 3), torch.randn(2, 7, 24))


def test_up_step():
    close_layer(UpStep(6, 4), torch.randn(2, 6, 3, 5))


@pytest.mark.parametrize('factor', [1, 4])
def test_convex_sum(factor):
    weights = convex_weights(torch.randn(2, 9, 3 * factor, 5 * factor), sharp=False)
    maps = torch.randn(2, 3, 3, 5)
    close(convex_sum(weights, maps), plain_convex_sum(weights, maps))


@pytest.mark.parametrize('kernel', [(3, 3), (3, 1), (1, 3)])
@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize('strip_bytes', [1, 20_000, 10**9])
def test_convolutions_of_large_maps(kernel, bias, strip_bytes, monkeypatch):
    monkeypatch.setattr(winograd, 'WIDE_CPU', False)
    monkeypatch.setattr(winograd, 'FEWEST_PIXELS', 0)
    monkeypatch.setattr(winograd, 'FEWEST_CHANNELS', 0)
    monkeypatch.setattr(winograd, 'STRIP_BYTES', strip_bytes)
    products = []
    monkeypatch.setattr(winograd.F, 'conv2d', count(F.conv2d, products))
    x = torch.randn(2, 5, 12, 20).to(memory_format=torch.channels_last)
    close_layer(Convolution(5, 7, kernel, bias=bias), x)
    strips = (len(products) - 1) / 6  # the plain form has one convolution
    assert strips == {1: 3 if kernel[0] == 3 else 5, 10**9: 1}.get(strip_bytes, strips)
    assert strips >= 1


def count(function, calls):
    def counted(*args, **options):
        calls.append(1)
        return function(*args, **options)

    return counted


@pytest.mark.parametrize('shape', [(1, 2, 8, 10), (1, 2, 8, 8)])
def test_other_convolutions_are_direct(shape):
    x = torch.randn(*shape)
    layer = Convolution(2, 3, 3)
    assert torch.equal(layer(x), F.conv2d(x, layer.weight, layer.bias, padding=1))


def test_gates_of_the_recurrent_unit():
    close_layer(SeparableGru(4), *(torch.randn(1, 4, 8, 8) for _ in range(2)))


def test_the_settled_share_of_a_convolution():
    layer, x, context = Joining(5), torch.randn(1, 256, 4, 4), torch.randn(1, 5, 4, 4)
    fast = layer.join(x, layer.settle(context))
    layer.__class__ = PLAIN[Joining]
    close(fast, layer.join(x, layer.settle(context)))


def test_sharp_weights_drop_what_is_below_a_tenth():
    logits = torch.tensor([0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.3, 0.35]).log()
    weights = convex_weights(logits.reshape(1, 9, 1, 1), sharp=True).flatten()
    expected = torch.tensor([0.0] * 7 + [0.2 / 0.45, 0.25 / 0.45])
    assert (weights - expected).abs().max() < ROUNDING


def test_the_older_sampler_is_half_a_column_off_at_the_ends():
    older = REVISIONS['2026-01-18']
    width = 16
    scores = torch.arange(float(width)).expand(1, 1, width, width)  # rows alike: only x shows
    disparity = torch.zeros(1, 1, 1, width)
    near, _ = older.look_up(scores, disparity)
    x = torch.arange(width)[4:-5]
    read = near[0, 4, 0, 4:-5]
    assert (read - (x * width / (width - 1) - 0.5)).abs().max() < ROUNDING


def test_the_oldest_second_level_reads_even_places():
    older = REVISIONS['2026-01-10']
    scores = torch.randn(1, 8, 16, 16)
    spoiled = scores.clone()
    spoiled[:, 1::2] = spoiled[:, :, 1::2] = spoiled[..., 1::2] = 99.0
    disparity = torch.rand(1, 1, 8, 16)
    assert torch.equal(older.look_up(scores, disparity)[1], older.look_up(spoiled, disparity)[1])


def test_position_tables_are_made_once_and_take_part_in_training():
    table = axis_table(5, torch.float32, torch.device('cpu'))
    assert axis_table(5, torch.float32, torch.device('cpu')) is table
    assert not table.is_inference()
