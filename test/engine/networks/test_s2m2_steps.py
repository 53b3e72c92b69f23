# SPDX-License-Identifier: Apache-2.0
"""Each fast step against its plain form."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vizion3d_ros.engine.networks.s2m2 import winograd
from vizion3d_ros.engine.networks.s2m2.convex import convex_weights
from vizion3d_ros.engine.networks.s2m2.positions import axis_table
from vizion3d_ros.engine.networks.s2m2.reference import PLAIN
from vizion3d_ros.engine.networks.s2m2.revisions import REVISIONS, as_of
from vizion3d_ros.engine.networks.s2m2.steps import FAST

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


def both(step, *inputs):
    fast, plain = (getattr(form, step)(*inputs) for form in (FAST, PLAIN))
    if isinstance(fast, tuple):
        fast, plain = torch.cat(fast, 1), torch.cat(plain, 1)
    return fast, plain


def close(step, *inputs):
    fast, plain = both(step, *inputs)
    assert fast.shape == plain.shape
    assert (fast - plain).abs().max() < ROUNDING


@pytest.mark.parametrize('allow_negative', [False, True])
@pytest.mark.parametrize('scale', [1, 30])
def test_transport(allow_negative, scale):
    close('transport', torch.randn(2, 5, 24, 24) * scale, allow_negative)


@pytest.mark.parametrize('allow_negative', [False, True])
def test_transport_of_scores_that_no_exponential_can_hold(allow_negative):
    """So sharp a plan has ties, so the place of its maxima may differ, not its row sums."""
    fast, plain = both('transport', torch.randn(2, 5, 24, 24) * 2000, allow_negative)
    assert torch.isfinite(fast).all()
    assert (fast - plain)[:, 2].abs().max() < 1e-11


@pytest.mark.parametrize('form', [FAST, PLAIN])
def test_transport_leaves_the_scores_alone_and_finds_a_clear_match(form):
    scores = torch.full((1, 2, 16, 16), -20.0)
    left = torch.arange(5, 16)
    scores[:, :, left, left - 3] = 20.0
    before = scores.clone()
    disparity, confidence, visibility = form.transport(scores, False)
    assert torch.equal(scores, before)
    assert (disparity[..., 5:] - 3).abs().max() < 1e-2
    for share in (confidence, visibility):  # the dustbin keeps its part even of these
        assert share[..., 5:].min() > 0.7
        assert share[..., :5].max() < 1e-6
    assert all(x.shape == (1, 1, 2, 16) for x in (disparity, confidence, visibility))


def test_look_up():
    scores = torch.randn(2, 8, 16, 16)
    close('look_up', scores, torch.rand(2, 1, 8, 16) * 60 - 30)


def test_look_up_reads_what_is_there():
    scores = torch.arange(16.0).expand(1, 1, 16, 16)
    near, far = FAST.look_up(scores, torch.full((1, 1, 1, 16), 1.5))
    assert near[0, :, 0, 8].tolist() == [2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5]
    # Halved columns 0, 1, ... hold 0.5, 2.5, ...; they are read at 3.25 - 4 ... 3.25 + 4.
    inside = [1.0, 3.0, 5.0, 7.0, 9.0, 11.0]
    assert far[0, :, 0, 8].tolist() == [0.25 * 0.5, *inside, 13.0, 0.75 * 14.5]


@pytest.mark.parametrize('grid', [(1, 1), (2, 3), (4, 2)])
def test_encoded_attention(grid):
    heads = [torch.randn(2, 3, grid[0] * grid[1], 8) for _ in range(3)]
    for fast, plain in zip(*(f.encoded_attention(*heads, grid) for f in (FAST, PLAIN))):
        assert (fast - plain).abs().max() < ROUNDING


def test_attention():
    close('attention', *(torch.randn(2, 3, 7, 8) for _ in range(3)))


def test_enlarge():
    close('enlarge', torch.randn(2, 6, 3, 5), nn.Conv2d(6, 4, 1))


@pytest.mark.parametrize('factor', [1, 4])
def test_convex_sum(factor):
    weights = convex_weights(torch.randn(2, 9, 3 * factor, 5 * factor), sharp=False)
    close('convex_sum', weights, torch.randn(2, 3, 3, 5))


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
    layer = nn.Conv2d(5, 7, kernel, bias=bias)
    close('convolve', x, layer.weight, layer.bias)
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
    layer = nn.Conv2d(2, 3, 3)
    expected = F.conv2d(x, layer.weight, layer.bias, padding=1)
    assert torch.equal(FAST.convolve(x, layer.weight, layer.bias), expected)


def test_gates_and_the_settled_share_of_a_convolution():
    x, first, second = torch.randn(1, 6, 8, 8), nn.Conv2d(6, 4, 3, padding=1), nn.Conv2d(6, 4, 3)
    second.padding = (1, 1)
    close('gates', x, first, second)
    before, constant, after = (torch.randn(1, n, 4, 4) for n in (3, 5, 2))
    mixing = nn.Conv2d(10, 7, 1)
    fast, plain = (
        f.mix(mixing, (before,), f.settle(mixing, constant, 3), after) for f in (FAST, PLAIN)
    )
    assert (fast - plain).abs().max() < ROUNDING


def test_sharp_weights_drop_what_is_below_a_tenth():
    logits = torch.tensor([0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.3, 0.35]).log()
    weights = convex_weights(logits.reshape(1, 9, 1, 1), sharp=True).flatten()
    expected = torch.tensor([0.0] * 7 + [0.2 / 0.45, 0.25 / 0.45])
    assert (weights - expected).abs().max() < ROUNDING


def test_the_older_sampler_is_half_a_column_off_at_the_ends():
    older = as_of(REVISIONS['2026-01-18'], FAST)
    width = 16
    scores = torch.arange(float(width)).expand(1, 1, width, width)  # rows alike: only x shows
    disparity = torch.zeros(1, 1, 1, width)
    near, _ = older.look_up(scores, disparity)
    x = torch.arange(width)[4:-5]
    read = near[0, 4, 0, 4:-5]
    assert (read - (x * width / (width - 1) - 0.5)).abs().max() < ROUNDING


def test_the_oldest_second_level_reads_even_places():
    older = as_of(REVISIONS['2026-01-10'], FAST)
    scores = torch.randn(1, 8, 16, 16)
    spoiled = scores.clone()
    spoiled[:, 1::2] = spoiled[:, :, 1::2] = spoiled[..., 1::2] = 99.0
    disparity = torch.rand(1, 1, 8, 16)
    assert torch.equal(older.look_up(scores, disparity)[1], older.look_up(spoiled, disparity)[1])


def test_position_tables_are_made_once_and_take_part_in_training():
    table = axis_table(5, torch.float32, torch.device('cpu'))
    assert axis_table(5, torch.float32, torch.device('cpu')) is table
    assert not table.is_inference()
