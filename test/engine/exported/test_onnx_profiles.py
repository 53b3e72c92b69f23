# SPDX-License-Identifier: Apache-2.0
"""Networks of others run by a profile alone: stand-ins of the same signatures, known answers."""

import numpy as np
import pytest
import yaml
from exported_networks import stand_in

pytest.importorskip('onnxruntime', reason='needs vizion3d_ros[onnx]')
pytest.importorskip('onnx', reason='needs vizion3d_ros[onnx]')

from onnx import helper

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.onnx.profile import find_profile, shipped

H, W = 64, 96
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope='module')
def images():
    """A pair whose channels are of different brightness, uint8 (H, W, 3) each."""
    rng = np.random.default_rng(2)
    return tuple((rng.random((H, W, 3)) * (40, 120, 250)).astype(np.uint8) for _ in range(2))


def weighted(left, right, weights=(1.0, 0.5, 0.25)):
    """What the stand-ins answer: the channels of both images, each with a weight of its own."""
    return left @ np.array(weights) + 2 * (right @ np.array(weights))


def convolution(path, inputs, output, channels, sign=1.0, outputs=1, weights=(1.0, 0.5, 0.25)):
    """A network that answers `weighted` of the last two images that it takes, and 9 beside it."""
    both = list(inputs)[-2:]
    count = sum(inputs[name][1] for name in both)
    weight = np.zeros((outputs, count, 1, 1), np.float32)
    weight[0, :, 0, 0] = np.concatenate((weights[:channels], 2 * np.array(weights[:channels])))
    weight *= sign
    bias = np.array([0.0, 9.0][:outputs], np.float32)
    nodes = [
        helper.make_node('Concat', both, ['both'], axis=1),
        helper.make_node('Conv', ['both', 'weight', 'bias'], [output]),
    ]
    constants = {'weight': weight, 'bias': bias}
    answers = {output: [1, outputs, H, W]}
    return stand_in(path, inputs, nodes, answers, constants=constants)


def full(channels=3):
    return [1, channels, H, W]


def assert_answers(match, path, images, expected, **how):
    found = match(path, images, **how)
    np.testing.assert_allclose(found.disparity.numpy(), expected, rtol=2e-4, atol=1e-3)
    return found


def test_foundation_stereo_takes_rgb_in_0_to_255(tmp_path, images, match):
    inputs = {'left': ['batch_size', 3, H, W], 'right': ['batch_size', 3, H, W]}
    path = convolution(tmp_path / 'f.onnx', inputs, 'disp', 3)
    expected = weighted(*images)
    found = assert_answers(match, path, images, expected, profile='foundation_stereo')
    assert 'FoundationStereo' in found.backend_used
    assert 'no commercial use' in found.licence


def test_fast_foundation_stereo_takes_what_imagenet_took(tmp_path, images, match):
    inputs = {'left_image': ['batch', 3, H, W], 'right_image': ['batch', 3, H, W]}
    path = convolution(tmp_path / 'f.onnx', inputs, 'disparity', 3, sign=20.0)
    normal = [(image / 255 - MEAN) / STD for image in images]
    expected = 20 * weighted(*normal)
    expected = np.where(expected > 0, expected, np.nan)
    found = match(path, images, profile='fast_foundation_stereo').disparity.numpy()
    seen = np.isfinite(expected) & (expected > 0.1)
    np.testing.assert_allclose(found[seen], expected[seen], rtol=1e-3)


def test_crestereo_takes_the_pair_at_two_sizes_and_answers_a_flow(tmp_path, images, match):
    half = [1, 3, H // 2, W // 2]
    inputs = {'init_left': half, 'init_right': half, 'next_left': full(), 'next_right': full()}
    path = tmp_path / 'c.onnx'
    nodes = [
        helper.make_node('ReduceMean', ['init_left'], ['a'], keepdims=0),
        helper.make_node('ReduceMean', ['init_right'], ['b'], keepdims=0),
        helper.make_node('Sub', ['a', 'b'], ['shift']),
        helper.make_node('Concat', ['next_left', 'next_right'], ['both'], axis=1),
        helper.make_node('Conv', ['both', 'weight', 'bias'], ['flow']),
        helper.make_node('Add', ['flow', 'shift'], ['next_output']),
    ]
    weight = np.zeros((2, 6, 1, 1), np.float32)
    weight[0, :, 0, 0] = (1.0, 0.5, 0.25, 2.0, 1.0, 0.5)
    constants = {'weight': weight, 'bias': np.array([20.0, 900.0], np.float32)}
    stand_in(path, inputs, nodes, {'next_output': full(2)}, constants=constants)
    expected = weighted(*images) + 20 + images[0].mean() - images[1].mean()
    found = match(path, images, profile='crestereo').disparity.numpy()
    np.testing.assert_allclose(found, expected, atol=0.1)  # halving the images rounds a little


def test_hitnet_takes_both_images_in_one_input_and_answers_channels_last(tmp_path, images, match):
    """As tf2onnx makes it: only the input is turned to channels first; of two maps the first."""
    nodes = [
        helper.make_node('Conv', ['input', 'weight'], ['planes']),
        helper.make_node('Transpose', ['planes'], ['Identity'], perm=[0, 2, 3, 1]),
        helper.make_node('Neg', ['Identity'], ['Identity_1']),
    ]
    weight = 100 * np.array((1.0, 0.5, 0.25, 2.0, 1.0, 0.5), np.float32).reshape(1, 6, 1, 1)
    outputs = {'Identity': [1, H, W, 1], 'Identity_1': [1, H, W, 1]}
    path = tmp_path / 'h.onnx'
    stand_in(path, {'input': full(6)}, nodes, outputs, 12, constants={'weight': weight})
    expected = 100 * weighted(*(image / 255 for image in images))
    assert_answers(match, path, images, expected, profile='hitnet')


def test_raft_stereo_answers_the_flow_which_is_negative_after_a_coarse_one(
    tmp_path, images, match
):
    inputs = {'0': full(), '1': full()}
    nodes = [
        helper.make_node('AveragePool', ['0'], ['coarse'], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node('Concat', ['0', '1'], ['both'], axis=1),
        helper.make_node('Conv', ['both', 'weight'], ['flow']),
    ]
    weight = np.zeros((1, 6, 1, 1), np.float32)
    weight[0, :, 0, 0] = (-1.0, -0.5, -0.25, -2.0, -1.0, -0.5)
    outputs = {'coarse': [1, 3, H // 4, W // 4], 'flow': full(1)}
    path = stand_in(tmp_path / 'r.onnx', inputs, nodes, outputs, constants={'weight': weight})
    assert_answers(match, path, images, weighted(*images), profile='raft_stereo')


def test_a_profile_beside_the_file_needs_no_setting(tmp_path, images, match):
    """Of a network with channels last, BGR, in another order, that answers eighths."""
    inputs = {'b': [1, H, W, 3], 'a': [1, H, W, 3]}
    nodes = [
        helper.make_node('Mul', ['a', 'weights'], ['left']),
        helper.make_node('Mul', ['b', 'weights'], ['right']),
        helper.make_node('Add', ['left', 'right'], ['sum']),
        helper.make_node('Add', ['sum', 'right'], ['both']),
        helper.make_node('ReduceSum', ['both', 'axis'], ['answer'], keepdims=1),
    ]
    constants = {
        'weights': np.array([0.25, 0.5, 1.0], np.float32),  # of blue, green and red
        'axis': np.array([3], np.int64),
    }
    path = tmp_path / 'own.onnx'
    stand_in(path, inputs, nodes, {'answer': [1, H, W, 1]}, constants=constants)
    profile = {
        'inputs': [{'images': ['left'], 'name': 'a'}, {'images': ['right'], 'name': 'b'}],
        'channels': 'bgr',
        'layout': 'NHWC',
        'output': {'scale': 0.125},
        'licence': 'ours',
    }
    path.with_suffix('.yaml').write_text(yaml.safe_dump(profile))
    found = assert_answers(match, path, images, weighted(*images) / 8)
    assert found.licence == 'ours'


def test_grey_images_are_the_luminance_of_the_colours(tmp_path, images, match):
    path = convolution(tmp_path / 'g.onnx', {'l': full(1), 'r': full(1)}, 'd', 1)
    (tmp_path / 'g.yaml').write_text(
        '{inputs: [{images: [left]}, {images: [right]}], channels: grey}'
    )
    grey = [image @ np.array([0.299, 0.587, 0.114]) for image in images]
    assert_answers(match, path, images, grey[0] + 2 * grey[1])


def test_sizes_that_vary_are_those_of_the_profile(tmp_path, images, match):
    inputs = {'l': [1, 3, 'h', 'w'], 'r': [1, 3, 'h', 'w']}
    path = convolution(tmp_path / 'v.onnx', inputs, 'd', 3)
    text = '{{inputs: [{{images: [left]}}, {{images: [right]}}], size: {}}}'
    path.with_suffix('.yaml').write_text(text.format([H, W]))
    assert_answers(match, path, images, weighted(*images))


def test_its_own_confidence_and_visibility_are_taken(tmp_path, images, match):
    nodes = [
        helper.make_node('ReduceMean', ['left'], ['d'], axes=[1], keepdims=1),
        helper.make_node('Mul', ['d', 'small'], ['sure']),
    ]
    inputs, outputs = {'left': full(), 'right': full()}, {'d': full(1), 'sure': full(1)}
    constants = {'small': np.array(0.003, np.float32)}
    path = stand_in(tmp_path / 'o.onnx', inputs, nodes, outputs, 13, constants=constants)
    path.with_suffix('.yaml').write_text(
        '{inputs: [{images: [left]}, {images: [right]}], confidence: sure, visibility: sure}'
    )
    found = match(path, images)
    expected = 0.003 * images[0].mean(axis=2)
    np.testing.assert_allclose(found.confidence.numpy(), expected, atol=1e-4)
    np.testing.assert_allclose(found.visibility.numpy(), expected, atol=1e-4)


@pytest.mark.parametrize('name', sorted(shipped()))
def test_every_shipped_profile_names_its_source_and_licence(name, tmp_path):
    profile = find_profile(name, tmp_path / 'any.onnx', {})
    assert profile.is_stereo and profile.licence
    assert 'https://' in shipped()[name].read_text()


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('inputs: [', r'is no YAML'),
        ('[1, 2]', r'valid dictionary or instance of Profile'),
        ('{inputs: [{images: [left]}]}', r'must take left and right for disparity, got left'),
        ('{inputs: [{images: [left, right]}], std: [1, 0, 1]}', r'std must be above 0'),
        ('{inputs: [{images: [left, right]}], sacle: 2}', r'sacle: Extra inputs'),
    ],
)
def test_a_profile_that_cannot_be_is_one_sentence(text, said, tmp_path):
    path = tmp_path / 'bad.yaml'
    path.write_text(text)
    with pytest.raises(BackendError, match=said) as refused:
        find_profile(str(path), tmp_path / 'any.onnx', {})
    assert '\n' not in str(refused.value)


def test_a_file_without_any_profile_says_how_to_give_one(tmp_path):
    with pytest.raises(BackendError, match=r'crestereo.*or put that beside it as any\.yaml'):
        find_profile('auto', tmp_path / 'any.onnx', {})
    with pytest.raises(BackendError, match=r"'none' is neither a shipped profile nor a file"):
        find_profile('none', tmp_path / 'any.onnx', {})
