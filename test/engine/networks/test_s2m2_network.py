# SPDX-License-Identifier: Apache-2.0
"""The network as a whole: names, loading, batches, precision, state."""

import pytest
import s2m2_rules as rules
import torch
from plain_s2m2 import plain

from vizion3d_ros.engine.networks.s2m2 import build
from vizion3d_ros.engine.networks.sizes import S2M2_SIZES

pytestmark = pytest.mark.usefixtures('one_thread')
CASE = rules.CASES['S_64x64_batch2']


@pytest.fixture(scope='module')
def network():
    network = build('S')
    network.load_state_dict(rules.state_dict('S', CASE['weight_seed']))
    return network


def answer(network, left, right):
    with torch.inference_mode():
        return torch.cat(network(left, right), dim=1)


def pictures():
    return (x.float() for x in rules.images(CASE))


@pytest.mark.parametrize('variant', S2M2_SIZES)
def test_names_and_shapes_are_the_published_ones(variant):
    with torch.device('meta'):
        network = build(variant)
    found = {name: list(x.shape) for name, x in network.state_dict().items()}
    assert found == rules.STATE_DICTS[variant]


def test_an_unknown_variant_is_an_error():
    with pytest.raises(KeyError):
        build('XXL')


def test_a_network_without_memory_takes_over_the_loaded_weights(network):
    with torch.device('meta'):
        empty = build('S')
    empty.load_state_dict(rules.state_dict('S', CASE['weight_seed']), assign=True)
    left, right = pictures()
    assert torch.equal(answer(empty, left, right), answer(network, left, right))


def test_every_weight_is_needed():
    weights = dict(rules.state_dict('S', CASE['weight_seed']))
    del weights['upsample_mask_4x_refine.conv_x.weight']
    with pytest.raises(RuntimeError, match='conv_x'):
        build('S').load_state_dict(weights)


def test_a_pair_gets_the_same_answer_alone_and_in_a_batch(network):
    left, right = pictures()
    together = answer(network, left, right)
    alone = torch.cat([answer(network, left[i : i + 1], right[i : i + 1]) for i in range(2)])
    assert (together - alone).abs().amax(dim=(0, 2, 3)).tolist() <= [1e-4, 1e-5, 1e-5]


def test_calls_leave_no_trace(network):
    left, right = pictures()
    before = left.clone(), right.clone()
    first = answer(network, left, right)
    answer(network, right.tile(1, 1, 1, 2), left.tile(1, 1, 1, 2))
    assert torch.equal(first, answer(network, left, right))
    assert torch.equal(left, before[0])
    assert torch.equal(right, before[1])


def test_five_refinements_are_three_and_two_more(network):
    left, right = pictures()
    rounds = []
    handle = network.refiner.register_forward_hook(lambda *_: rounds.append(1))
    network.refine_iterations = 5
    try:
        five = answer(network, left, right)
    finally:
        network.refine_iterations = 3
        handle.remove()
    assert len(rounds) == 5
    assert not torch.equal(five, answer(network, left, right))


def test_disparity_stays_fine_in_half_precision():
    torch.manual_seed(0)
    network = plain(build('S', refine_iterations=1)).bfloat16()
    kept = {}
    for name in ('disp_init', 'global_refiner', 'refiner'):
        network.get_submodule(name).register_forward_hook(
            lambda module, inputs, outputs, name=name: kept.update({name: outputs})
        )
    left, right = torch.rand(2, 1, 3, 32, 64) * 255
    outputs = answer(network, left, right)
    assert outputs.dtype == torch.float32
    assert {x.dtype for x in kept['disp_init']} == {torch.float32}
    assert kept['global_refiner'].dtype == torch.float32
    hidden, *maps = kept['refiner']
    assert hidden.dtype == torch.bfloat16
    assert {x.dtype for x in maps} == {torch.float32}
    assert not torch.equal(outputs, outputs.bfloat16().float())


def test_runs_outside_inference_mode(network):
    left, right = pictures()
    with torch.enable_grad():
        disparity, _, _ = network(left[:1], right[:1])
    assert disparity.requires_grad
    assert (disparity - answer(network, left[:1], right[:1])[:, :1]).abs().max() < 1e-4


@pytest.mark.parametrize('revision', ['2025-10-30', '2026-01-10', '2026-01-18'])
def test_older_revisions_load_the_same_weights_and_differ(revision, network):
    older = build('S', revision=revision)
    older.load_state_dict(network.state_dict())
    left, right = pictures()
    difference = (answer(older, left, right) - answer(network, left, right)).abs()
    assert 0.01 < difference[:, 0].max() < 64
    assert torch.isfinite(difference).all()


def test_no_global_setting_is_touched(network):
    def settings():
        return (
            torch.get_default_dtype(),
            torch.get_num_threads(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.allow_tf32,
            torch.backends.cuda.matmul.allow_tf32,
        )

    before = settings()
    answer(network, *pictures())
    assert settings() == before


@pytest.mark.slow
def test_compiles_into_one_graph(network):
    whole = torch.compile(network, backend='eager', fullgraph=True)
    left, right = pictures()
    expected = answer(network, left, right)
    assert (answer(whole, left, right) - expected).abs().max() < 1e-3


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize(('dtype', 'allowed'), [(torch.float32, 1e-2), (torch.float16, 2.0)])
def test_a_gpu_agrees_and_never_waits_for_the_host(network, dtype, allowed):
    left, right = pictures()
    expected = answer(network, left, right)
    there = build('S')
    there.load_state_dict(network.state_dict())
    there = there.to('cuda', dtype)
    left, right = left.cuda(), right.cuda()
    answer(there, left, right)
    torch.cuda.set_sync_debug_mode('error')
    try:
        found = answer(there, left, right)
    finally:
        torch.cuda.set_sync_debug_mode('default')
    assert (found.cpu() - expected)[:, 0].abs().median() < allowed
