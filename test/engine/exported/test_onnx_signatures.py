# SPDX-License-Identifier: Apache-2.0
"""Signatures that networks come in: each runs by its profile alone, with the right answer."""

import numpy as np
import pytest
import yaml
from exported_networks import stand_in

pytest.importorskip('onnxruntime', reason='needs vizion3d_ros[onnx]')
pytest.importorskip('onnx', reason='needs vizion3d_ros[onnx]')

from onnx import TensorProto, helper

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.contracts.settings.onnx_settings import OnnxSettings
from vizion3d_ros.engine.registry import load_mono_backend

H, W = 64, 96
WEIGHTS = (1.0, 0.5, 0.25)  # of red, green and blue; the right image counts twice
NUMPY = {
    TensorProto.FLOAT: np.float32,
    TensorProto.FLOAT16: np.float16,
    TensorProto.DOUBLE: np.float64,
}
PAIR = [{'images': ['left'], 'name': 'l'}, {'images': ['right'], 'name': 'r'}]


@pytest.fixture(scope='module')
def images():
    rng = np.random.default_rng(2)
    return tuple((rng.random((H, W, 3)) * (40, 120, 250)).astype(np.uint8) for _ in range(2))


@pytest.fixture
def run(tmp_path, match):
    """Match by a network of given inputs and nodes, whose answer is `d`, and a profile."""

    def run(images, inputs, nodes, profile, shape=(1, 1, H, W), constants=None, **how):
        path = tmp_path / 'own.onnx'
        stand_in(path, inputs, nodes, {'d': shape}, 13, constants=constants or {}, **how)
        path.with_suffix('.yaml').write_text(yaml.safe_dump(profile))
        return match(path, images).disparity.numpy()

    return run


def sums(left='l', right='r', out='d', axis=1, keepdims=1, number=TensorProto.FLOAT):
    """Nodes and constants: both images summed up over their channels by WEIGHTS."""
    shape = [1, 1, 1, 1]
    shape[axis] = 3
    weights = np.array(WEIGHTS, NUMPY[number]).reshape(shape)
    nodes = [
        helper.make_node('Cast', [left], ['lf'], to=number),
        helper.make_node('Cast', [right], ['rf'], to=number),
        helper.make_node('Add', ['rf', 'rf'], ['twice']),
        helper.make_node('Add', ['lf', 'twice'], ['both']),
        helper.make_node('Mul', ['both', 'weights'], ['shares']),
        helper.make_node('ReduceSum', ['shares', 'axis'], [out], keepdims=keepdims),
    ]
    return nodes, {'weights': weights, 'axis': np.array([axis], np.int64)}


def expected(left, right):
    return left @ np.array(WEIGHTS) + 2 * (right @ np.array(WEIGHTS))


def close(found, wanted, share=2e-4):
    np.testing.assert_allclose(found, wanted, rtol=share, atol=1e-3)


def planes(count=3):
    return {'l': [1, count, H, W], 'r': [1, count, H, W]}


def test_bytes_with_channels_last(run, images):
    nodes, constants = sums(axis=3)
    inputs = {'l': [1, H, W, 3], 'r': [1, H, W, 3]}
    profile = {'inputs': PAIR, 'layout': 'NHWC'}
    shape = (1, H, W, 1)
    found = run(
        images,
        inputs,
        nodes,
        profile,
        shape,
        constants,
        number=TensorProto.UINT8,
        answers=TensorProto.FLOAT,
    )
    close(found, expected(*images))


def test_signed_bytes_around_zero(run, images):
    nodes, constants = sums()
    profile = {'inputs': PAIR, 'mean': 128}
    how = {'number': TensorProto.INT8, 'answers': TensorProto.FLOAT}
    shifted = [image.astype(float) - 128 for image in images]
    wanted = expected(*shifted)
    found = run(images, planes(), nodes, profile, (1, 1, H, W), constants, **how)
    close(found[wanted > 0.1], wanted[wanted > 0.1])
    assert np.isnan(found[wanted < 0]).all()


@pytest.mark.parametrize('number', [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_floats_of_other_lengths(run, images, number):
    nodes, constants = sums(number=number)
    profile = {'inputs': PAIR, 'scale': 1 / 255}
    found = run(images, planes(), nodes, profile, (1, 1, H, W), constants, number=number)
    wanted = expected(*(image / 255 for image in images))
    close(found, wanted, share=1e-2 if number == TensorProto.FLOAT16 else 2e-4)


def test_no_batch_axis_in_or_out(run, images):
    nodes, constants = sums(axis=0, keepdims=0)
    constants['weights'] = constants['weights'].reshape(3, 1, 1)
    inputs = {'l': [3, H, W], 'r': [3, H, W]}
    close(run(images, inputs, nodes, {'inputs': PAIR}, (H, W), constants), expected(*images))


@pytest.mark.parametrize(
    'shape', [[2, 3, H, W], ['n', 3, H, W], [1, 2, 3, H, W], ['n', 2, 3, H, W]]
)
def test_both_images_one_after_the_other_in_one_input(run, images, shape):
    nodes, constants = sums()
    constants |= {'one': np.array([0], np.int64), 'two': np.array([1], np.int64)}
    constants['flat'] = np.array([2, 3, H, W], np.int64)
    nodes = [
        helper.make_node('Reshape', ['pair', 'flat'], ['flat_pair']),
        helper.make_node('Gather', ['flat_pair', 'one'], ['l'], axis=0),
        helper.make_node('Gather', ['flat_pair', 'two'], ['r'], axis=0),
        *nodes,
    ]
    profile = {'inputs': [{'images': ['left', 'right']}]}
    found = run(images, {'pair': shape}, nodes, profile, (1, 1, H, W), constants)
    close(found, expected(*images))


def test_six_channels_last_with_the_right_image_first(run, images):
    weights = np.array([2 * w for w in WEIGHTS] + list(WEIGHTS), np.float32)
    nodes = [
        helper.make_node('Mul', ['pair', 'weights'], ['shares']),
        helper.make_node('ReduceSum', ['shares', 'axis'], ['d'], keepdims=0),
    ]
    constants = {'weights': weights, 'axis': np.array([3], np.int64)}
    profile = {'inputs': [{'images': ['right', 'left']}], 'layout': 'NHWC'}
    found = run(images, {'pair': [1, H, W, 6]}, nodes, profile, (1, H, W), constants)
    close(found, expected(*images))


def test_names_in_the_other_order_and_values_normalised_in_0_to_255(run, images):
    nodes, constants = sums()
    inputs = dict(reversed(planes().items()))
    profile = {'inputs': PAIR, 'mean': [10.0, 20.0, 30.0], 'std': 2.0, 'channels': 'bgr'}
    constants['weights'] = constants['weights'][:, ::-1]
    # mean follows the order of the channels: 10 is that of blue
    wanted = expected(*((image - np.array([30.0, 20.0, 10.0])) / 2 for image in images))
    found = run(images, inputs, nodes, profile, (1, 1, H, W), constants)
    close(found[wanted > 0.1], wanted[wanted > 0.1])


@pytest.mark.parametrize('shrunk', [2, 4])
def test_smaller_maps_are_enlarged_and_scaled_as_the_profile_says(run, shrunk):
    """A ramp, so that it is clear where the pixels of a coarse map lie."""
    ramp = np.tile(np.arange(W, dtype=np.uint8)[None, :, None], (H, 1, 3))
    nodes = [
        helper.make_node('ReduceMean', ['l'], ['mean'], axes=[1], keepdims=1),
        helper.make_node(
            'AveragePool', ['mean'], ['pooled'], kernel_shape=[shrunk] * 2, strides=[shrunk] * 2
        ),
        helper.make_node('Mul', ['pooled', 'share'], ['d']),  # in pixels of the coarse map
    ]
    constants = {'share': np.array(0.25 / shrunk, np.float32)}
    profile = {'inputs': PAIR, 'output': {'scale': shrunk}}
    shape = (1, 1, H // shrunk, W // shrunk)
    found = run((ramp, ramp), planes(), nodes, profile, shape, constants)
    inner = np.s_[:, shrunk:-shrunk]
    np.testing.assert_allclose(found[inner], ramp[..., 0][inner] / 4, atol=1e-3)


def test_whole_numbers_come_out_in_sixteenths_and_negative(run, images):
    nodes = [
        helper.make_node('ReduceMean', ['l'], ['mean'], axes=[1], keepdims=1),
        helper.make_node('Mul', ['mean', 'sixteen'], ['many']),
        helper.make_node('Cast', ['many'], ['d'], to=TensorProto.INT16),
    ]
    constants = {'sixteen': np.array(-16, np.float32)}
    profile = {'inputs': PAIR, 'output': {'sign': -1, 'scale': 1 / 16}}
    found = run(
        images, planes(), nodes, profile, (1, 1, H, W), constants, answers=TensorProto.INT16
    )
    np.testing.assert_allclose(found, images[0].mean(axis=2), atol=1 / 16)


def test_shares_of_the_width_and_the_second_of_two_outputs(run, images):
    nodes, constants = sums(out='pixels')
    constants['width'] = np.array(1 / W, np.float32)
    nodes += [
        helper.make_node('Mul', ['pixels', 'width'], ['share']),
        helper.make_node('Concat', ['l', 'share'], ['d'], axis=1),  # four maps, the last counts
    ]
    profile = {'inputs': PAIR, 'output': {'name': 'd', 'scale': W, 'channel': 3}}
    found = run(images, planes(), nodes, profile, (1, 4, H, W), constants)
    close(found, expected(*images))


@pytest.mark.parametrize(
    ('number', 'profile', 'said'),
    [
        (
            TensorProto.UINT8,
            {'scale': 1 / 255},
            r'whole numbers \(tensor\(uint8\)\).*leave them out',
        ),
        (TensorProto.INT8, {}, r'whole numbers \(tensor\(int8\)\)'),
        (TensorProto.BOOL, {}, r'tensor\(bool\), in which no image .*float32'),
    ],
)
def test_numbers_that_cannot_hold_the_images(run, images, number, profile, said):
    nodes = [
        helper.make_node('Cast', ['l'], ['lf'], to=TensorProto.FLOAT),
        helper.make_node('ReduceMean', ['lf'], ['d'], axes=[1], keepdims=1),
    ]
    with pytest.raises(BackendError, match=said) as refused:
        run(
            images,
            planes(),
            nodes,
            {'inputs': PAIR, **profile},
            number=number,
            answers=TensorProto.FLOAT,
        )
    assert '\n' not in str(refused.value)


def test_an_answer_of_the_other_sign_is_told(run, images, package_log):
    nodes = [
        helper.make_node('ReduceMean', ['l'], ['mean'], axes=[1], keepdims=1),
        helper.make_node('Neg', ['mean'], ['d']),
    ]
    assert np.isnan(run(images, planes(), nodes, {'inputs': PAIR})).all()
    assert 'disparities below 0' in package_log.text and 'sign: -1' in package_log.text


def test_a_coarse_depth_of_one_image(tmp_path, images):
    nodes = [
        helper.make_node('ReduceMean', ['x'], ['mean'], axes=[1], keepdims=1),
        helper.make_node('AveragePool', ['mean'], ['d'], kernel_shape=[2, 2], strides=[2, 2]),
    ]
    path = tmp_path / 'mono.onnx'
    stand_in(path, {'x': [1, 3, H, W]}, nodes, {'d': [1, 1, H // 2, W // 2]}, 13)
    profile = {'inputs': [{'images': ['image']}], 'output': {'kind': 'depth', 'scale': 0.1}}
    path.with_suffix('.yaml').write_text(yaml.safe_dump(profile))
    plain = np.full((H, W, 3), 50, np.uint8)
    settings = MonoSettings(device='cpu', backend='onnx', onnx=OnnxSettings(model=str(path)))
    found = load_mono_backend('onnx').estimate(plain, settings)
    assert found.metric
    np.testing.assert_allclose(found.values.numpy(), 5.0, rtol=1e-4)
