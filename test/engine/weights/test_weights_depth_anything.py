# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of Depth Anything V2: what loads, what is refused, and under which licence."""

import pytest
import torch
from tiny_models import SHAPES, make_tensors

from vizion3d_ros.contracts.errors import CheckpointError
from vizion3d_ros.engine.networks.depth_anything_v2 import build
from vizion3d_ros.engine.networks.sizes import DEPTH_ANYTHING_SIZES
from vizion3d_ros.engine.weights import DEPTH_ANYTHING_V2, KNOWN, S2M2, load, resolve
from vizion3d_ros.engine.weights.fit import find_variant, shapes_of
from vizion3d_ros.engine.weights.inventory import inventory
from vizion3d_ros.engine.weights.names import known_by_name, licence_of

MASK, FIRST = 'pretrained.mask_token', 'depth_head.projects.0.weight'
TINY = {'pretrained.cls_token': (1, 1, 384), MASK: (1, 4), FIRST: (2, 3)}
"""What a very small vits would look like."""


@pytest.fixture
def tensors():
    return make_tensors(TINY)


@pytest.fixture
def load_file():
    """Return a function that loads a file as the small vits of these tests."""
    return lambda path: load(resolve(str(path)), DEPTH_ANYTHING_V2, lambda variant: TINY)


def parallel(tensors):
    return {f'module.{name}': tensor for name, tensor in tensors.items()}


@pytest.mark.parametrize(
    'wrap',
    [
        dict,
        lambda tensors: {'state_dict': tensors},
        lambda tensors: {'model': tensors, 'epoch': 3},
        parallel,
        lambda tensors: {'model': parallel(tensors)},
    ],
)
def test_every_form_of_a_checkpoint_gives_the_same_tensors(save, load_file, tensors, wrap):
    checkpoint = load_file(save(wrap(tensors)))
    assert checkpoint.variant == 'vits'
    assert list(checkpoint.tensors) == list(TINY)
    assert all(torch.equal(checkpoint.tensors[name], tensors[name]) for name in TINY)


@pytest.mark.parametrize(
    ('spoil', 'words'),
    [
        (lambda t: {n: x for n, x in t.items() if n != MASK}, rf'1 missing \({MASK}\)'),
        (lambda t: {**t, 'pretrained.register_tokens': torch.ones(1)}, r'1 extra \(pretrained\.r'),
        (lambda t: {**t, FIRST: torch.ones(3, 2)}, r'\[3, 2\] instead of \[2, 3\]'),
        (lambda t: {**t, FIRST: torch.full((2, 3), torch.nan)}, f'NaN .* in {FIRST}'),
        (lambda t: {f'x.module.{n}': x for n, x in t.items()}, 'no Depth Anything V2 checkpoint'),
        (lambda t: {**parallel(t), MASK: t[MASK]}, 'no Depth Anything V2 checkpoint'),
        (
            lambda t: {**t, 'pretrained.cls_token': torch.ones(1, 1, 1536)},
            'no known size of Depth Anything V2: expected .* vits, vitb, vitl',
        ),
        (
            lambda t: make_tensors(SHAPES),
            'no Depth Anything V2 checkpoint: it is one of S2M2',
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(save, load_file, tensors, spoil, words):
    with pytest.raises(CheckpointError, match=words):
        load_file(save(spoil(tensors)))


def test_a_checkpoint_is_refused_as_s2m2(save, tensors):
    path = save(tensors)
    with pytest.raises(CheckpointError, match='it is one of Depth Anything V2'):
        load(resolve(str(path)), S2M2, lambda variant: SHAPES)


@pytest.mark.parametrize('encoder', DEPTH_ANYTHING_SIZES)
def test_the_encoder_is_read_from_the_shapes(encoder):
    with torch.device('meta'):
        shapes = shapes_of(build(encoder).state_dict())
    assert find_variant(shapes, DEPTH_ANYTHING_V2) == encoder


# --- names and licences ----------------------------------------------------------------------


def test_every_published_checkpoint_has_a_name_of_its_own():
    ours = [model for model in KNOWN if model.family is DEPTH_ANYTHING_V2]
    assert len(ours) == 9
    for names in ([m.name for m in ours], [m.file_name for m in ours], [m.url for m in ours]):
        assert len(set(names)) == 9
    assert all(m.url.endswith(f'/{m.file_name}') for m in ours)
    assert all(m.file_name.endswith(f'_{m.variant}.pth') for m in ours)


def test_an_address_is_the_authors():
    metric = known_by_name('depth-anything-v2-metric-vkitti-large')
    assert metric.url == (
        'https://huggingface.co/depth-anything/Depth-Anything-V2-Metric-VKITTI-Large/resolve/main/'
        'depth_anything_v2_metric_vkitti_vitl.pth'
    )
    relative = known_by_name('depth-anything-v2-small')
    assert relative.url == (
        'https://huggingface.co/depth-anything/Depth-Anything-V2-Small/resolve/main/'
        'depth_anything_v2_vits.pth'
    )


@pytest.mark.parametrize(
    ('name', 'licence'),
    [
        ('depth-anything-v2-small', 'Apache-2.0'),
        ('depth-anything-v2-large', 'CC BY-NC 4.0 (no commercial use)'),
        (
            'depth-anything-v2-metric-hypersim-small',
            'Apache-2.0 presumably, as its base: the authors state none',
        ),
        ('depth-anything-v2-metric-vkitti-base', 'CC BY-NC 4.0 (no commercial use)'),
    ],
)
def test_a_licence_is_what_the_authors_say_and_no_more(name, licence):
    known = known_by_name(name)
    assert known.licence == licence
    assert licence_of(known.file_name, known.family, known.variant) == licence
    other_file = licence_of('mine.pth', known.family, known.variant)
    assert licence.startswith(other_file)


def test_the_unstated_licence_is_told_when_loading_and_in_the_list(
    cache, save, load_file, tensors, package_log
):
    cache.mkdir()
    name = 'depth_anything_v2_metric_vkitti_vits.pth'
    path = save(tensors, f'cache/{name}')
    assert 'authors state none' in load_file(path).licence
    assert 'licence Apache-2.0 presumably' in package_log.text
    (entry,) = inventory()
    assert (entry.name, entry.content) == (name, 'Depth Anything V2 vits')
    assert 'authors state none' in entry.licence
