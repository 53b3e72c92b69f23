# SPDX-License-Identifier: Apache-2.0
"""Every stage of the network against stored values of the original."""

import itertools

import numpy as np
import pytest
import s2m2_rules as rules
import torch
from plain_s2m2 import plain, position_table

from vizion3d_ros.engine.networks.s2m2 import build
from vizion3d_ros.engine.networks.s2m2.kernels import winograd

pytestmark = pytest.mark.usefixtures('one_thread')
GOLDEN = rules.golden()
UNPADDED = [name for name in rules.CASES if not name.endswith('_padded')]
SMALL = [name for name in UNPADDED if name.startswith('S_')]
FORMS = {'fast': lambda network: network, 'plain': plain}
OUTPUTS = {
    'cnn_backbone': ('cnn_4x', 'cnn_2x'),
    'feat_pyramid': ('pyr_4x', 'pyr_8x', 'pyr_16x', 'pyr_32x'),
    'transformer': ('tr_4x',),
    'disp_init': ('init_disp', 'init_conf', 'init_occ', 'init_cv'),
    'global_refiner': ('global_disp',),
    'feat_fusion_layer': ('fused_4x',),
    'ctx_feat': ('ctx',),
    'upsample_mask_4x_refine': ('mask_4x',),
    'upsample_mask_1x': ('mask_1x',),
}
INPUTS = {
    'upsample_mask_1x': 'up4_disp',
    'refiner.corr_feat1': 'refine0_corr1',
    'refiner.corr_feat2': 'refine0_corr2',
}


def network_of(case):
    network = build(case['variant'], case['refine_iterations'], case['allow_negative'])
    network.load_state_dict(rules.state_dict(case['variant'], case['weight_seed']))
    return network


def keep(seen, names):
    """A hook that stores what a part returns under these names."""

    def hook(module, inputs, outputs):
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        seen.update((name, x.clone()) for name, x in zip(names, outputs))

    return hook


def keep_input(seen, name):
    """A hook that stores the first input of a part's first call."""

    def hook(module, inputs):
        if name not in seen:
            seen[name] = inputs[0].clone()

    return hook


def watch(network):
    """A dict that fills with every stage while the network runs."""
    seen, rounds = {}, itertools.count()

    def keep_refinement(*call):
        number = next(rounds)
        keep(seen, [f'refine{number}_{x}' for x in ('hidden', 'disp', 'conf', 'occ')])(*call)

    for part, names in OUTPUTS.items():
        network.get_submodule(part).register_forward_hook(keep(seen, names))
    for part, name in INPUTS.items():
        network.get_submodule(part).register_forward_pre_hook(keep_input(seen, name))
    network.refiner.register_forward_hook(keep_refinement)
    return seen


def run(network, case, dtype=torch.float32):
    left, right = (x.to(dtype) for x in rules.images(case))
    with torch.inference_mode():
        return dict(zip(('disp', 'occ', 'conf'), network.to(dtype)(left, right)))


def largest_excess(name, found, ending=''):
    """Largest difference as a share of what is allowed, and where."""
    shares = {}
    for array, rule in rules.CASES[name]['arrays'].items():
        value = found.get(array.removesuffix(ending))
        if array.endswith('_float64') == bool(ending) and value is not None:
            value = value[tuple(slice(None, None, step) for step in rule['steps'])].numpy()
            difference = np.abs(value - GOLDEN[f'{name}/{array}']).max()
            shares[array] = difference / rule['limit']
    return max((share, array) for array, share in shares.items()), shares


def test_the_weights_are_those_of_the_golden_vectors():
    case = rules.CASES['S_64x96']
    weights = rules.state_dict('S', case['weight_seed'])
    assert rules.fingerprint(weights) == case['weight_sha256']


@pytest.mark.parametrize('form', FORMS)
def test_every_stage(form):
    case = rules.CASES['S_64x96']
    network = FORMS[form](network_of(case))
    stages = watch(network)
    stages |= run(network, case)
    worst, shares = largest_excess('S_64x96', stages)
    assert len(shares) == 34
    assert worst[0] <= 1, worst


def test_every_stage_with_the_convolutions_of_large_maps(monkeypatch):
    monkeypatch.setattr(winograd, 'WIDE_CPU', False)
    monkeypatch.setattr(winograd, 'FEWEST_PIXELS', 0)
    monkeypatch.setattr(winograd, 'FEWEST_CHANNELS', 0)
    monkeypatch.setattr(winograd, 'STRIP_BYTES', 2**17)
    case = rules.CASES['S_64x96']
    network = network_of(case)
    stages = watch(network)
    stages |= run(network, case)
    worst, _ = largest_excess('S_64x96', stages)
    assert worst[0] <= 1, worst


@pytest.mark.parametrize('name', SMALL)
def test_outputs(name):
    case = rules.CASES[name]
    worst, shares = largest_excess(name, run(network_of(case), case))
    assert len(shares) == 3
    assert worst[0] <= 1, worst


@pytest.mark.parametrize('name', SMALL)
def test_outputs_without_rounding(name):
    case = rules.CASES[name]
    found = run(network_of(case), case, torch.float64)
    worst, shares = largest_excess(name, found, '_float64')
    assert len(shares) == 3
    assert worst[0] <= 1, worst


@pytest.mark.slow
def test_outputs_of_another_variant():
    case = rules.CASES['M_64x96']
    network = network_of(case)
    worst, _ = largest_excess('M_64x96', run(network, case))
    assert worst[0] <= 1, worst
    worst, _ = largest_excess('M_64x96', run(network, case, torch.float64), '_float64')
    assert worst[0] <= 1, worst


@pytest.mark.parametrize('grid', [(1, 2), (2, 3), (3, 5)])
def test_position_table(grid):
    table = position_table(grid, torch.float32, torch.device('cpu'))
    assert np.abs(table.numpy() - GOLDEN[f'pe_{grid[0]}x{grid[1]}']).max() < 2e-6
