# SPDX-License-Identifier: Apache-2.0
"""The Depth Anything V2 backend: the image path, metric or not, state, faults."""

import logging

import depth_anything_rules as rules
import numpy as np
import pytest
import torch

from vizion3d_ros.contracts.errors import BackendError, InputError
from vizion3d_ros.contracts.settings.mono_settings import DepthAnythingSettings, MonoSettings
from vizion3d_ros.engine.depth_anything_v2 import (
    DepthAnythingBackend,
    metric_max_depth,
    network_size,
)
from vizion3d_ros.engine.registry import load_mono_backend
from vizion3d_ros.engine.weights import DEPTH_ANYTHING_V2
from vizion3d_ros.engine.weights.names import KNOWN

WITH_IMAGE = [name for name, case in rules.CASES.items() if 'image_size' in case]
IMAGE = rules.image('any', 60, 90)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('models')


@pytest.fixture(scope='module')
def checkpoint(folder):
    path = folder / 'rule_vits.pth'
    torch.save(rules.state_dict(), path)
    return path


@pytest.fixture(scope='module')
def indoor(folder, checkpoint):
    """The same weights under the name of an indoor checkpoint."""
    path = folder / 'my_metric_Hypersim_vits.pth'
    path.hardlink_to(checkpoint)
    return path


@pytest.fixture(scope='module')
def backend():
    return load_mono_backend('depth_anything_v2')


def settings_of(checkpoint, input_size=70, **changes):
    network = DepthAnythingSettings(model_backend=str(checkpoint), **changes)
    # one of the golden cases has a smaller size than users may choose
    network = network.model_copy(update={'input_size': input_size})
    return MonoSettings(device='cpu', depth_anything_v2=network)


# --- the image path --------------------------------------------------------------------------


@pytest.mark.parametrize('name', WITH_IMAGE)
def test_an_image_becomes_what_it_becomes_in_the_original(name, checkpoint, spy):
    case = rules.CASES[name]
    settings = settings_of(
        checkpoint, case['input_size'], metric_max_depth=case['metric_max_depth'] or 0.0
    )
    estimate = DepthAnythingBackend().estimate(rules.rgb_image(case), settings)
    assert rules.difference(name, 'x', spy.seen[0][0]) < rules.CLOSE
    assert rules.difference(name, 'depth', estimate.values) < rules.CLOSE
    assert estimate.values.dtype == torch.float32
    assert estimate.metric == (case['metric_max_depth'] is not None)


@pytest.mark.parametrize(('height', 'width', 'input_size', 'rows', 'columns'), rules.NETWORK_SIZES)
def test_the_network_sees_the_size_it_sees_in_the_original(
    height, width, input_size, rows, columns
):
    assert network_size(height, width, input_size) == (rows, columns)


def test_grey_is_three_equal_channels(backend, checkpoint):
    grey = IMAGE[..., 0].copy()
    color = np.repeat(grey[..., None], 3, -1)
    first, second = (backend.estimate(x, settings_of(checkpoint)).values for x in (grey, color))
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize('size', [(1, 1), (7, 3), (30, 200)])
def test_any_size_comes_back_whole(size, backend, checkpoint):
    image = rules.image('any', *size)
    values = backend.estimate(image, settings_of(checkpoint)).values
    assert values.shape == size
    assert torch.isfinite(values).all()


# --- metric or relative ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ('model', 'asked', 'metres'),
    [
        ('depth-anything-v2-base', 0.0, None),
        ('depth-anything-v2-metric-hypersim-small', 0.0, 20.0),
        ('https://example.com/a/depth_anything_v2_metric_vkitti_vitl.pth', 0.0, 80.0),
        ('/models/hypersim/relative.pth', 0.0, None),
        ('relative.pth', 10.0, 10.0),
        ('depth_anything_v2_metric_hypersim_vits.pth', 25.0, 25.0),
    ],
)
def test_the_largest_depth_is_set_or_told_by_the_name(model, asked, metres):
    settings = DepthAnythingSettings(model_backend=model, metric_max_depth=asked)
    assert metric_max_depth(settings) == metres


@pytest.mark.parametrize('known', [m for m in KNOWN if m.family is DEPTH_ANYTHING_V2])
def test_known_models_are_metric_by_name_exactly_when_their_file_is(known):
    by_name, by_file, by_address = (
        metric_max_depth(DepthAnythingSettings(model_backend=text))
        for text in (known.name, known.file_name, known.url)
    )
    assert by_name == by_file == by_address
    assert (by_name is not None) == ('metric' in known.file_name)


def test_what_ran_is_told(backend, checkpoint, indoor):
    relative = backend.estimate(IMAGE, settings_of(checkpoint))
    assert relative.checkpoint == str(checkpoint)
    kind = 'Depth Anything V2 vits, relative, torch.float32, cpu'
    assert relative.backend_used == f'{checkpoint} ({kind})'
    assert not relative.metric
    metric = backend.estimate(IMAGE, settings_of(indoor))
    kind = 'Depth Anything V2 vits, metric to 20 m, torch.float32, cpu'
    assert metric.backend_used == f'{indoor} ({kind})'
    assert metric.metric
    assert (metric.values > 0).all()
    assert (metric.values < 20).all()


def test_another_largest_depth_scales_everything(backend, indoor):
    first, second = (
        backend.estimate(IMAGE, settings_of(indoor, metric_max_depth=metres)).values
        for metres in (10.0, 30.0)
    )
    torch.testing.assert_close(3 * first, second)


# --- state -----------------------------------------------------------------------------------


def test_earlier_images_leave_no_trace(backend, checkpoint):
    settings = settings_of(checkpoint)
    fresh = DepthAnythingBackend().estimate(IMAGE, settings).values
    backend.estimate(rules.image('other', 80, 40), settings)
    assert torch.equal(fresh, backend.estimate(IMAGE, settings).values)


def test_the_network_is_loaded_once(backend, checkpoint, caplog):
    backend.estimate(IMAGE, settings_of(checkpoint))
    with caplog.at_level(logging.INFO, 'vizion3d_ros'):
        backend.estimate(IMAGE, settings_of(checkpoint, input_size=84))
    assert 'loaded' not in caplog.text


def test_a_bad_checkpoint_is_refused_and_the_old_one_still_works(checkpoint, folder, spy):
    backend = DepthAnythingBackend()
    bad = folder / 'bad.pth'
    torch.save({**rules.state_dict(), 'pretrained.register_tokens': torch.ones(1)}, bad)
    before = backend.estimate(IMAGE, settings_of(checkpoint)).values
    with pytest.raises(BackendError, match=r'bad\.pth .* 1 extra \(pretrained\.register_tokens'):
        backend.estimate(IMAGE, settings_of(bad))
    assert torch.equal(before, backend.estimate(IMAGE, settings_of(checkpoint)).values)
    assert spy.loaded == 1


# --- limits ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'error',
    [
        torch.OutOfMemoryError('CUDA out of memory'),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_memory_that_does_not_suffice_is_a_clear_error(error, checkpoint, spy):
    backend = DepthAnythingBackend()
    backend.estimate(IMAGE, settings_of(checkpoint))

    def starved(x):
        raise error

    spy.answer = starved
    with pytest.raises(BackendError, match=r'memory for .* at 112x70: .*v2\.input_size'):
        backend.estimate(IMAGE, settings_of(checkpoint))
    spy.answer = None
    assert backend.estimate(IMAGE, settings_of(checkpoint)).values.shape == (60, 90)


def test_other_faults_are_not_taken_for_a_lack_of_memory(checkpoint, spy):
    def broken(x):
        raise RuntimeError('something else')

    spy.answer = broken
    with pytest.raises(RuntimeError, match='something else'):
        DepthAnythingBackend().estimate(IMAGE, settings_of(checkpoint))


def test_a_long_narrow_image_is_refused_before_anything_is_computed(checkpoint, spy):
    image = np.zeros((20, 5000, 3), np.uint8)
    with pytest.raises(InputError, match=r'5000x20 .* 129500x518 .*v2\.input_size \(now 518\)'):
        DepthAnythingBackend().estimate(image, settings_of(checkpoint, input_size=518))
    assert not spy.loaded and not spy.seen


def test_a_square_image_fits_at_the_largest_input_size():
    assert network_size(480, 480, 2044) == (2044, 2044)


def test_half_precision_stays_close(backend, checkpoint):
    full = backend.estimate(IMAGE, settings_of(checkpoint)).values
    half = backend.estimate(IMAGE, settings_of(checkpoint, precision='bfloat16')).values
    assert half.dtype == torch.float32
    assert (half - full).abs().max() < 0.1 * full.max()


def test_a_graph_without_a_gpu_runs_eagerly_and_says_so(checkpoint, caplog):
    with caplog.at_level(logging.WARNING, 'vizion3d_ros'):
        graph = DepthAnythingBackend().estimate(IMAGE, settings_of(checkpoint, compile='graph'))
    assert [r.getMessage() for r in caplog.records if 'graph' in r.getMessage()]
    eager = DepthAnythingBackend().estimate(IMAGE, settings_of(checkpoint))
    assert torch.equal(graph.values, eager.values)
