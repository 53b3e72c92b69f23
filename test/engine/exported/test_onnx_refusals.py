# SPDX-License-Identifier: Apache-2.0
"""Whatever does not fit is one sentence that says what to do, and the old network stays in use."""

import sys

import numpy as np
import pytest
from exported_networks import stand_in

pytest.importorskip('onnxruntime', reason='needs vizion3d_ros[onnx]')
pytest.importorskip('onnx', reason='needs vizion3d_ros[onnx]')

import onnxruntime
from onnx import TensorProto, helper

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.contracts.settings.onnx_settings import OnnxSettings, StereoOnnxSettings
from vizion3d_ros.engine.registry import check_network, load_mono_backend

H, W = 64, 96
PAIR = '{inputs: [{images: [left]}, {images: [right]}]}'


@pytest.fixture(scope='module')
def images():
    rng = np.random.default_rng(4)
    return tuple(rng.integers(0, 255, (H, W, 3), np.uint8) for _ in range(2))


@pytest.fixture
def make(tmp_path):
    """Write a network that answers a tenth of the left image's mean: make(name, profile)."""

    def make(name='good.onnx', profile=PAIR, inputs=None, outputs=None, opset=13, **model):
        inputs = inputs or {'l': [1, 3, H, W], 'r': [1, 3, H, W]}
        first = next(iter(inputs))
        nodes = [
            helper.make_node('ReduceMean', [first], ['mean'], axes=[1], keepdims=1),
            helper.make_node('Mul', ['mean', 'tenth'], ['d']),
        ]
        number = np.float16 if model.get('number') == TensorProto.FLOAT16 else np.float32
        constants = {'tenth': np.array(0.1, number)}
        outputs = outputs or {'d': [1, 1, H, W]}
        path = tmp_path / name
        stand_in(path, inputs, nodes, outputs, opset, constants=constants, **model)
        if profile:
            path.with_suffix('.yaml').write_text(profile)
        return path

    return make


def refused(match, path, images, said, **how):
    with pytest.raises(BackendError, match=said) as error:
        match(path, images, **how)
    assert '\n' not in str(error.value)
    assert len(str(error.value)) < 800
    return str(error.value)


def test_a_file_that_fails_leaves_the_old_one_in_use(make, images, match, tmp_path):
    good = make()
    before = match(good, images).disparity
    page = tmp_path / 'page.onnx'
    page.write_text('<!DOCTYPE html><html>login</html>')
    refused(match, page, images, r'page\.onnx is an HTML or XML page')
    assert np.array_equal(match(good, images).disparity, before, equal_nan=True)


def test_files_that_are_no_networks(make, images, match, tmp_path):
    whole = make().read_bytes()
    for name, content, said in (
        ('cut.onnx', whole[: len(whole) // 2], r'cut short'),
        ('noise.onnx', b'\x7f\x45\x4c\x46' * 50, r'is no whole ONNX file'),
        ('empty.onnx', b'', r'is empty'),
        ('none.onnx', None, r"none\.onnx' is no file; expected a path or an https address"),
    ):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        text = refused(match, path, images, said)
        assert 'model_backend' not in text


def test_bits_that_are_wrong_inside_are_told_by_the_runtime(make, images, match, tmp_path):
    content = bytearray(make().read_bytes())
    at = content.index(b'ReduceMean')
    content[at : at + 10] = b'ReduceMoon'
    path = tmp_path / 'bits.onnx'
    path.write_bytes(content)
    path.with_suffix('.yaml').write_text(PAIR)
    refused(match, path, images, r'bits\.onnx cannot be loaded by onnxruntime .*ReduceMoon')


def test_weights_in_another_file_that_is_not_there(images, match, tmp_path):
    import onnx

    path = tmp_path / 'outside.onnx'
    nodes = [
        helper.make_node('ReduceMean', ['l'], ['mean'], axes=[1], keepdims=1),
        helper.make_node('Mul', ['mean', 'map'], ['d']),
    ]
    constants = {'map': np.ones((1, 1, H, W), np.float32)}
    inputs = {'l': [1, 3, H, W], 'r': [1, 3, H, W]}
    stand_in(path, inputs, nodes, {'d': [1, 1, H, W]}, 13, constants=constants)
    path.with_suffix('.yaml').write_text(PAIR)
    model = onnx.load(str(path))
    onnx.save(model, str(path), save_as_external_data=True, location='weights.bin')
    assert match(path, images).disparity.nanmean() > 1
    (tmp_path / 'weights.bin').rename(tmp_path / 'other.bin')
    again = path.rename(tmp_path / 'moved.onnx')
    again.with_suffix('.yaml').write_text(PAIR)
    refused(match, again, images, r'weights of .*moved\.onnx lie in another file')


@pytest.mark.parametrize(
    ('how', 'said'),
    [
        ({'providers': 'npu'}, r"'npu' is not in this onnxruntime: it has .*cpu.*choose one"),
        ({'providers': 'cpu,cuda'}, r"'cuda' is not in this onnxruntime"),
        ({'providers': ' , '}, r'onnx\.providers is empty: expected auto or some of .*cpu'),
        ({'precision': 'float16'}, r'float16 was asked for, but cpu runs this file of float32'),
        ({'profile': 'psmnet'}, r"'psmnet' is neither a shipped profile nor a file"),
        ({'sha256': '0' * 64}, r'has the SHA-256 \w+, expected 0000'),
    ],
)
def test_settings_that_cannot_be_met(how, said, make, images, match):
    refused(match, make(), images, said, **how)


@pytest.mark.filterwarnings('ignore:Specified provider')
def test_a_provider_that_does_not_start_is_refused_and_auto_tells(
    make, images, match, monkeypatch, package_log
):
    """As with onnxruntime-gpu where the libraries of CUDA are missing."""
    offered = ['CUDAExecutionProvider', 'CPUExecutionProvider']
    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: offered)
    from vizion3d_ros.engine.onnx.providers import Wanted
    from vizion3d_ros.engine.onnx.session import ProviderError, open_session

    path = make()
    with pytest.raises(ProviderError, match=r'CUDAExecutionProvider could not be started.*CPU'):
        open_session(path, 13, Wanted('cuda', 'auto', 'auto', 'float32'))
    session = open_session(path, 13, Wanted('auto', 'auto', 'auto', 'float32'))
    assert session.provider == 'cpu'
    assert 'CUDAExecutionProvider could not be started' in package_log.text
    with pytest.raises(ProviderError):
        open_session(path, 13, Wanted('auto', 'auto', 'cuda:0', 'float32'))


def test_a_device_that_no_provider_has(make):
    from vizion3d_ros.engine.onnx.providers import Wanted, candidates

    with pytest.raises(BackendError, match=r'device cuda was asked for, but .*cpu only'):
        candidates(Wanted('auto', 'auto', 'cuda', 'float32'), ['CPUExecutionProvider'])


def test_an_opset_that_is_too_new(make, images, match):
    path = make('new.onnx', opset=13)
    import onnx

    model = onnx.load(str(path))
    model.opset_import[0].version = 99
    onnx.save(model, str(path))
    refused(match, path, images, r'new\.onnx is of opset 99, which onnxruntime [\d.]+ does not')


@pytest.mark.parametrize(
    ('network', 'said'),
    [
        ({'profile': ''}, r'does not say what it takes.*set onnx\.profile to one of'),
        ({'inputs': {'l': [1, 3, H, W]}}, r'the network takes l 1x3x64x96, but its profile has'),
        (
            {'profile': PAIR.replace('left]', 'left], name: x')},
            r'takes l 1x3x64x96, r 1x3x64x96, but its profile has x, any',
        ),
        (
            {'inputs': {'l': [1, 1, H, W], 'r': [1, 1, H, W]}},
            r'l is 1x1x64x96, but its profile says 1 image, rgb, NCHW: .*channels: grey',
        ),
        (
            {'inputs': {'l': [1, H, W, 3], 'r': [1, H, W, 3]}},
            r'l is 1x64x96x3, but .*: write layout: NHWC and channels: rgb',
        ),
        (
            {'inputs': {'l': [2, 3, H, W], 'r': [2, 3, H, W]}},
            r'l is 2x3x64x96, but .*: correct inputs, .* or export it for one pair at a time',
        ),
        (
            {'inputs': {'l': [1, 3, 'h', 'w'], 'r': [1, 3, 'h', 'w']}},
            r'takes images of any size: .*size: \[height, width\]',
        ),
        ({'profile': PAIR[:-1] + ', size: [32, 32]}'}, r'takes 96x64, but its profile says 32x32'),
        (
            {'profile': PAIR[:-1] + ', output: {channel: 1}}'},
            r'the output d holds 1 maps, .*channel: 1',
        ),
        ({'profile': PAIR[:-1] + ', confidence: sure}'}, r'has no output sure, it has d'),
        (
            {'profile': '{inputs: [{images: [image]}], output: {kind: depth}}'},
            r'takes one image, but two would be given',
        ),
        (
            {'inputs': {'l': [1, 3, 8, 8], 'r': [1, 3, H, W]}, 'outputs': {'d': [1, 1, 8, 8]}},
            r'the output d is \[1, 1, 8, 8\], expected a map of the images, 64x96, .*name another',
        ),
    ],
)
def test_networks_that_do_not_fit_their_profile(network, said, make, images, match):
    refused(match, make(**network), images, said)


def test_a_network_for_pairs_is_no_network_for_one_image(make):
    settings = MonoSettings(device='cpu', backend='onnx', onnx=OnnxSettings(model=str(make())))
    with pytest.raises(BackendError, match=r'takes two images, but one would be given'):
        load_mono_backend('onnx').estimate(np.zeros((H, W, 3), np.uint8), settings)


def test_float16_files_run_and_say_so(make, images, match):
    path = make('half.onnx', number=TensorProto.FLOAT16)
    found = match(path, images)
    assert found.backend_used.endswith('(cpu, float16, 96x64)')
    expected = images[0].mean(axis=2) / 10
    np.testing.assert_allclose(found.disparity, expected, atol=0.05)
    refused(match, path, images, r'float32 was asked for', precision='float32')


def test_memory_that_does_not_suffice_is_a_clear_error(images, match, tmp_path, make):
    path = tmp_path / 'huge.onnx'
    nodes = [
        helper.make_node('Expand', ['l', 'shape'], ['large']),
        helper.make_node('ReduceMean', ['large'], ['d'], axes=[0, 1], keepdims=1),
    ]
    constants = {'shape': np.array([2**26, 3, H, W], np.int64)}  # 4.9 terabytes
    inputs = {'l': [1, 3, H, W], 'r': [1, 3, H, W]}
    stand_in(path, inputs, nodes, {'d': [1, 1, H, W]}, 13, constants=constants)
    path.with_suffix('.yaml').write_text(PAIR)
    refused(match, path, images, r'not enough memory for .*huge\.onnx.*smaller')
    assert match(make(), images).disparity.shape == (H, W)


def test_without_onnxruntime_one_sentence_says_what_to_install(make, images, match, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    refused(match, make(), images, r'needs onnxruntime, .*vizion3d_ros\[onnx\].*onnxruntime-gpu')


@pytest.mark.parametrize(
    ('model', 'said'),
    [
        ('', r"onnx\.model is '', expected the path or https address .*\.onnx.*export"),
        ('s2m2-L', r"onnx\.model is 's2m2-L'"),
        ('/nowhere/a.onnx', r'is no file'),
        ('ftp://host/a.onnx', r'from https:// addresses only.*onnx\.model'),
    ],
)
def test_what_plainly_cannot_be_had_is_refused_at_once(model, said):
    with pytest.raises(BackendError, match=said):
        check_network('onnx', StereoOnnxSettings(model=model))
