# SPDX-License-Identifier: Apache-2.0
"""From a file to tensors that fit, and everything that must not get that far."""

import pytest
import torch

from vizion3d_ros.contracts.errors import CheckpointError
from vizion3d_ros.engine.networks.s2m2 import build
from vizion3d_ros.engine.networks.sizes import DEPTH_ANYTHING_SIZES, S2M2_SIZES
from vizion3d_ros.engine.weights import DEPTH_ANYTHING_V2, S2M2, load, resolve
from vizion3d_ros.engine.weights.fit import find_variant, shapes_of

OFFICIAL, OLDER = 'upsample_mask_4x_refine.', 'upsample_mask_4x.'


@pytest.fixture
def load_file(shapes):
    """Return a function that loads a file as the small variant S of these tests."""
    return lambda path: load(resolve(str(path)), S2M2, lambda variant: shapes)


def renamed(tensors, official, older):
    return {name.replace(official, older): tensor for name, tensor in tensors.items()}


def assert_same(found, tensors):
    assert list(found) == list(tensors)
    for name, tensor in tensors.items():
        assert torch.equal(found[name], tensor), name


# --- files that load -------------------------------------------------------------------------


@pytest.mark.parametrize(
    'wrap',
    [
        dict,
        lambda tensors: {'state_dict': tensors},
        lambda tensors: {'state_dict': tensors, 'epoch': 7},
        lambda tensors: {n: torch.nn.Parameter(t) for n, t in tensors.items()},
        lambda tensors: dict(reversed(list(tensors.items()))),
        lambda tensors: renamed(tensors, OFFICIAL, OLDER),
        lambda tensors: renamed(tensors, 'disp_init.layer_norm.', 'disp_init.layer_norm1.'),
        lambda tensors: {'state_dict': {**tensors, 'feature_flow_attn.q.weight': torch.ones(3)}},
    ],
)
@pytest.mark.parametrize('zipped', [True, False])
def test_every_form_of_a_checkpoint_gives_the_same_tensors(save, load_file, tensors, wrap, zipped):
    path = save(wrap(tensors), _use_new_zipfile_serialization=zipped)
    checkpoint = load_file(path)
    assert (checkpoint.path, checkpoint.variant) == (path, 'S')
    assert_same(checkpoint.tensors, tensors)
    assert not any(tensor.requires_grad for tensor in checkpoint.tensors.values())


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_float32(save, load_file, tensors, dtype):
    path = save({name: tensor.to(dtype) for name, tensor in tensors.items()})
    assert_same(load_file(path).tensors, tensors)


def test_file_saved_without_checksums_loads(save, load_file, tensors):
    torch.serialization.set_crc32_options(False)
    try:
        path = save(tensors)
    finally:
        torch.serialization.set_crc32_options(True)
    assert_same(load_file(path).tensors, tensors)


def test_official_name_goes_before_the_older_one_and_every_choice_is_logged(
    save, load_file, tensors, package_log
):
    weight, bias = (f'conv_concat.0.{leaf}' for leaf in ('weight', 'bias'))
    mixed = dict(tensors)
    mixed[OLDER + bias] = mixed.pop(OFFICIAL + bias)
    mixed[OLDER + weight] = torch.full((2, 3), 9.0)
    mixed['feature_flow_attn.q'] = torch.ones(1)
    checkpoint = load_file(save(mixed))
    assert torch.equal(checkpoint.tensors[OFFICIAL + weight], tensors[OFFICIAL + weight])
    assert torch.equal(checkpoint.tensors[OFFICIAL + bias], tensors[OFFICIAL + bias])
    assert f'took {OLDER}{bias} for {OFFICIAL}{bias}' in package_log.text
    assert f'ignored {OLDER}{weight}' in package_log.text
    assert 'ignored feature_flow_attn.q' in package_log.text


def test_licence_is_logged(save, load_file, tensors, package_log):
    path = save(tensors)
    assert load_file(path).licence == 'CC BY-NC 4.0 (no commercial use)'
    assert f'loaded {path}: S2M2 S, licence CC BY-NC 4.0' in package_log.text


def test_tensors_do_not_hang_on_the_file(save, load_file, tensors):
    path = save(tensors)
    found = load_file(path).tensors
    path.write_bytes(bytes(path.stat().st_size))  # overwritten in place, as cp does
    assert_same(found, tensors)


def test_every_size_has_a_licence():
    assert set(S2M2.licences) == set(S2M2_SIZES)
    assert set(DEPTH_ANYTHING_V2.licences) == set(DEPTH_ANYTHING_SIZES)


def network_shapes(variant):
    with torch.device('meta'):
        return shapes_of(build(variant).state_dict())


@pytest.mark.parametrize('variant', S2M2_SIZES)
def test_variant_is_read_from_the_shapes(variant):
    assert find_variant(network_shapes(variant), S2M2) == variant


@pytest.mark.parametrize(('channels', 'variant'), [(384, 'vits'), (768, 'vitb'), (1024, 'vitl')])
def test_variant_of_depth_anything_is_read_from_the_shapes(channels, variant):
    shapes = {'pretrained.cls_token': (1, 1, channels), 'depth_head.projects.0.weight': (1,)}
    assert find_variant(shapes, DEPTH_ANYTHING_V2) == variant


def test_whole_network_takes_a_checkpoint_with_older_names(save):
    made = {name: torch.rand(shape) for name, shape in network_shapes('S').items()}
    path = save({'state_dict': renamed(made, OFFICIAL, OLDER)})
    checkpoint = load(resolve(str(path)), S2M2, network_shapes)
    with torch.device('meta'):
        network = build(checkpoint.variant)
    network.load_state_dict(checkpoint.tensors, assign=True)
    assert_same(network.state_dict(), made)


# --- files that must not load ----------------------------------------------------------------


def without(name):
    return lambda tensors: {n: t for n, t in tensors.items() if n != name}


def with_value(name, value):
    def spoil(tensors):
        tensors[name].view(-1)[1] = value
        return tensors

    return spoil


NORM = 'disp_init.layer_norm.weight'


@pytest.mark.parametrize(
    ('spoil', 'words'),
    [
        (without(NORM), rf'does not fit S2M2: of 5 entries 1 missing \({NORM}\)'),
        (lambda t: {**t, 'extra.bias': torch.ones(1)}, r'1 extra \(extra\.bias\)'),
        (lambda t: {**t, NORM: torch.ones(4, 1)}, r'\[4, 1\] instead of \[4\]'),
        (lambda t: {**t, f'{OLDER}new': torch.ones(1)}, r'1 extra \(upsample_mask_4x\.new\)'),
        (with_value(NORM, float('nan')), f'NaN or infinite weights in {NORM}'),
        (with_value(NORM, float('inf')), 'NaN or infinite weights'),
        (with_value(NORM, float('-inf')), 'NaN or infinite weights'),
        (lambda t: {**t, NORM: torch.ones(4).int()}, 'int32 in disp_init'),
        (lambda t: {**t, NORM: torch.ones(4).to_sparse()}, 'expected floating point numbers'),
        (without('cnn_backbone.norm1.weight'), 'no S2M2 checkpoint: it holds transformer'),
        (
            lambda t: {**t, 'cnn_backbone.norm1.weight': torch.ones(129)},
            'no known size of S2M2: expected .* S, M, L, XL',
        ),
        (
            lambda t: {'pretrained.cls_token': torch.ones(1), 'depth_head.a': torch.ones(1)},
            'no S2M2 checkpoint: it is one of Depth Anything V2',
        ),
        (lambda t: {'layer1.weight': torch.ones(1)}, 'no S2M2 checkpoint: it holds layer1'),
        (lambda t: {}, 'holds dict, expected a state dict'),
        (lambda t: [torch.ones(1)], 'holds list, expected a state dict'),
        (lambda t: {'state_dict': 3}, "holds int in 'state_dict', expected a tensor"),
        (lambda t: {**t, 'epoch': 3}, "holds int in 'epoch'"),
        (lambda t: {**t, 3: torch.ones(1)}, 'holds Tensor in 3'),
    ],
)
def test_what_does_not_fit_is_refused_by_name(save, load_file, tensors, spoil, words):
    path = save(spoil(tensors))
    with pytest.raises(CheckpointError, match=words) as refusal:
        load_file(path)
    assert str(refusal.value).startswith(f'{path} ')
    assert 'give model_backend the path of another file' in str(refusal.value)
    assert path.exists()  # the user's own file


def test_another_file_is_advised_of_the_same_family(tmp_path):
    path = tmp_path / 'empty.pth'
    path.touch()
    with pytest.raises(CheckpointError, match=r'or one of s2m2-S, s2m2-M, s2m2-L, s2m2-XL$'):
        load(resolve(str(path), S2M2), S2M2, lambda variant: {})


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('code of a checkpoint was run')",))


@pytest.mark.parametrize('zipped', [True, False])
def test_code_in_a_checkpoint_is_not_run(save, load_file, tensors, zipped):
    path = save({'state_dict': tensors, 'x': Evil()}, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match='more than tensors'):
        load_file(path)


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'', 'is empty'),
        (b'\n<!DOCTYPE html><html>', "HTML or XML page.*begins with '<!DOCTYPE html>"),
        (b'version https://git-lfs', "no checkpoint: it begins with 'version https"),
        (b'PK\x03\x04 and no more', 'cut short or damaged'),
        (b'\x80\x02 no pickle', 'damaged'),
    ],
)
def test_what_is_no_checkpoint_is_said_to_be_what_it_is(save, load_file, content, words):
    with pytest.raises(CheckpointError, match=words):
        load_file(save(content))


def test_zip_of_something_else(save, load_file, tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / 'photos.pth', 'w') as archive:
        archive.writestr('photo.jpg', b'x' * 100)
    with pytest.raises(CheckpointError, match=r'an archive, but no checkpoint: .*photo\.jpg'):
        load_file(tmp_path / 'photos.pth')


@pytest.mark.parametrize('zipped', [True, False])
def test_truncated_anywhere_is_refused(save, load_file, tensors, zipped):
    whole = save(tensors, _use_new_zipfile_serialization=zipped).read_bytes()
    for length in range(0, len(whole), 97):
        with pytest.raises(CheckpointError):
            load_file(save(whole[:length], 'short.pth'))


def test_flipped_bit_anywhere_never_changes_a_weight(save, load_file, tensors):
    whole = save(tensors).read_bytes()
    refused = 0
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        try:
            assert_same(load_file(save(bytes(damaged), 'flipped.pth')).tensors, tensors)
        except CheckpointError:
            refused += 1
    assert refused > 100
