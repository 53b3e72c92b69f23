# SPDX-License-Identifier: Apache-2.0
"""The network and its stages against stored values of the original."""

import hashlib

import depth_anything_rules as rules
import pytest
import torch

from vizion3d_ros.engine.networks.depth_anything_v2 import build, full_size

pytestmark = pytest.mark.usefixtures('one_thread')
WITHOUT_IMAGE = [name for name, case in rules.CASES.items() if 'shape' in case]


def network_of(case):
    with torch.device('meta'):
        network = build('vits', case['metric_max_depth'])
    network.load_state_dict(rules.state_dict_of(case), assign=True)
    return network


def run(case, network=None, dtype=torch.float32, inference=True):
    network = network or network_of(case)
    with torch.inference_mode(inference):
        return network.to(dtype)(rules.network_input(case['label'], case['shape']).to(dtype))


def keep(seen, name):
    """A hook that stores what a part returns."""

    def hook(module, inputs, output):
        seen[name] = output.clone()

    return hook


def keep_input(seen, name):
    """A hook that stores what a part is given."""

    def hook(module, inputs):
        seen[name] = inputs[0].clone()

    return hook


def watch(network):
    """A dict that fills with every stage while the network runs."""
    seen = {}
    network.pretrained.blocks[0].register_forward_pre_hook(keep_input(seen, 'tokens'))
    scratch = network.depth_head.scratch
    for k in (1, 2, 3, 4):
        project = network.depth_head.projects[k - 1]
        project.register_forward_pre_hook(keep_input(seen, f'feature_{k}'))
        scratch.get_submodule(f'layer{k}_rn').register_forward_hook(keep(seen, f'rn_{k}'))
        scratch.get_submodule(f'refinenet{k}').register_forward_hook(keep(seen, f'path_{k}'))
    return seen


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


def test_the_rule_is_that_of_the_golden_vectors():
    found = {
        name: digest(rules.state_dict()[name].numpy().astype('<f4'))
        for name in rules.DIGESTS
        if name in rules.STATE_DICTS['vits']
    }
    raw = rules.CASES['raw_56x70']
    x = rules.network_input(raw['label'], raw['shape']).numpy().astype('<f4')
    found |= {
        'network_input raw_a': digest(x),
        'image img_a': digest(rules.image('img_a', 75, 101)),
    }
    assert found == rules.DIGESTS


def test_every_stage():
    name = 'raw_56x70'
    network = network_of(rules.CASES[name])
    stages = watch(network)
    stages['depth'] = run(rules.CASES[name], network)
    arrays = rules.CASES[name]['arrays']
    assert len(arrays) == 13
    shares = {array: rules.difference(name, array, stages[array]) for array in arrays}
    assert max(shares.values()) < rules.CLOSE, shares


@pytest.mark.parametrize('name', WITHOUT_IMAGE)
def test_answers(name):
    assert rules.difference(name, 'depth', run(rules.CASES[name])) < rules.CLOSE


def test_an_answer_without_rounding():
    name = 'raw_batch2_70x42'
    assert rules.difference(name, 'depth', run(rules.CASES[name], dtype=torch.float64)) < 3e-6


@pytest.mark.parametrize('strip_bytes', [1, 30_000])
def test_an_answer_in_thin_strips(strip_bytes, monkeypatch):
    monkeypatch.setattr(full_size, 'STRIP_BYTES', strip_bytes)
    name = 'raw_batch2_70x42'
    assert rules.difference(name, 'depth', run(rules.CASES[name])) < rules.CLOSE


def test_an_answer_in_one_go_with_gradients():
    name = 'raw_batch2_70x42'
    answer = run(rules.CASES[name], inference=False)
    assert answer.requires_grad
    assert rules.difference(name, 'depth', answer.detach()) < rules.CLOSE
