# SPDX-License-Identifier: Apache-2.0
"""Names, addresses and paths of one checkpoint, and settings that change with another."""

import numpy as np
import pytest

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.mono_request import DEFAULT_MONO_BACKEND
from vizion3d_ros.contracts.settings.mono_settings import DepthAnythingSettings, MonoSettings
from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
from vizion3d_ros.contracts.settings.stereo_settings import S2m2Settings
from vizion3d_ros.contracts.stereo_request import DEFAULT_STEREO_BACKEND
from vizion3d_ros.requests.checkpoints import (
    check_networks,
    known_model,
    same_checkpoint,
    with_checkpoint,
)


def test_a_name_and_its_address_are_one_checkpoint():
    assert same_checkpoint('s2m2-L', DEFAULT_STEREO_BACKEND)
    assert same_checkpoint('S2M2-l', 's2m2-L')
    assert same_checkpoint('/a/b.pth', '/a/b.pth')
    assert not same_checkpoint('s2m2-L', 's2m2-S')
    assert not same_checkpoint('/a/b.pth', '/a/c.pth')


@pytest.mark.parametrize('model', ['', 's2m2-L', DEFAULT_STEREO_BACKEND])
def test_the_same_checkpoint_changes_nothing(model):
    settings = S2m2Settings(sha256='a' * 64)
    assert with_checkpoint(settings, model) is settings


def test_another_checkpoint_has_its_own_checksum_and_kind():
    settings = DepthAnythingSettings(
        model_backend='indoor.pth', sha256='a' * 64, metric_max_depth=20.0, input_size=252
    )
    changed = with_checkpoint(settings, DEFAULT_MONO_BACKEND, metric_max_depth=0.0)
    assert changed.model_backend == 'depth-anything-v2-base'
    assert (changed.sha256, changed.metric_max_depth, changed.input_size) == ('', 0.0, 252)


@pytest.mark.parametrize('model', ['http://[', 'https://', '://', '\0', 'x' * 9999])
def test_nonsense_is_no_known_model_and_no_crash(model):
    assert known_model(model) is None


NO_FILE = {'onnx': {'model': '/nowhere/a.onnx'}}


@pytest.mark.parametrize(
    ('current', 'changes', 'words'),
    [
        (MonoSettings(), {'backend': 'onnx'}, r"^onnx\.model: onnx\.model is ''.*depth-anything"),
        (MonoSettings(), NO_FILE, r'^onnx\.model: .* is no file'),
        (MonoSettings(), {'depth_anything_v2': {'model_backend': ''}}, "'' is neither a file"),
        (MonoSettings(**NO_FILE), {'backend': 'onnx'}, r'^onnx\.model: .* is no file'),
        (ServiceSettings(), {'backend': 'onnx'}, r"^onnx\.model: onnx\.model is ''.*s2m2-L"),
        (
            ServiceSettings(),
            {'mono_backend': 'onnx'},
            r'^mono_onnx\.model: mono_onnx',
        ),
    ],
)
def test_a_network_that_cannot_be_had_is_refused_by_name_or_with_its_choice(
    current, changes, words
):
    wanted = type(current).model_validate({**dict(current), **changes})
    with pytest.raises(BackendError, match=words):
        check_networks(current, wanted)


def test_what_is_not_chosen_needs_no_network_and_what_is_chosen_already_is_left_alone():
    named = MonoSettings(**NO_FILE)
    check_networks(named, MonoSettings())
    chosen = MonoSettings(backend='onnx', **NO_FILE)
    check_networks(chosen, chosen.model_copy(update={'max_depth': 20.0}))
    check_networks(chosen, named)


def test_requests_for_one_image_are_told_the_parameter_of_their_own_network():
    from vizion3d_ros.engine.onnx.mono import OnnxMonoBackend

    settings = ServiceSettings(mono_backend='onnx').mono()
    with pytest.raises(BackendError, match=r"^mono_onnx\.model is ''"):
        OnnxMonoBackend().estimate(np.zeros((8, 8, 3), np.uint8), settings)
