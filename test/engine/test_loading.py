# SPDX-License-Identifier: Apache-2.0
"""What counts as loading, seen from another thread; and what is said when memory runs out."""

import threading

import cv2
import pytest
import torch
from known_answers import serve_matcher

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.device import enough_memory
from vizion3d_ros.engine.loading import is_loading, loading
from vizion3d_ros.engine.registry import check_network, load_stereo_backend

ME = threading.get_ident()


def test_loading_lasts_until_the_outermost_ends_also_when_it_fails():
    assert not is_loading(ME)
    with pytest.raises(ZeroDivisionError), loading():
        with loading():
            assert is_loading(ME)
        assert is_loading(ME) and not is_loading(ME + 1)
        raise ZeroDivisionError
    assert not is_loading(ME)


def test_making_a_backend_is_loading(monkeypatch):
    seen = []
    serve_matcher(monkeypatch, None)
    monkeypatch.setattr(
        'vizion3d_ros.engine.registry.import_module',
        lambda name: type('Module', (), {'make': lambda: seen.append(is_loading(ME))}),
    )
    load_stereo_backend('s2m2')
    assert seen == [True]


@pytest.mark.parametrize(
    ('error', 'cause'),
    [
        (MemoryError(), ''),
        (torch.OutOfMemoryError('CUDA out of memory.\nSee the manual'), ' (CUDA out of memory.)'),
        (RuntimeError("can't allocate memory: 9 bytes"), " (can't allocate memory: 9 bytes)"),
        (cv2.error('(-4:Insufficient memory) Failed'), ' ((-4:Insufficient memory) Failed)'),
    ],
    ids=['python', 'cuda', 'cpu', 'opencv'],
)
def test_each_way_to_run_out_of_memory_is_one_sentence(error, cause):
    with pytest.raises(BackendError) as raised, enough_memory('a task', 'the cure'):
        raise error
    assert str(raised.value) == f'not enough memory for a task: the cure{cause}'


def test_other_errors_and_one_that_says_it_already_pass_as_they_are():
    for error in (ValueError('odd'), BackendError('cannot allocate memory for it: the cure')):
        with pytest.raises(type(error)) as raised, enough_memory('another task', 'another cure'):
            raise error
        assert raised.value is error


@pytest.mark.parametrize(
    ('name', 'model', 'words'),
    [
        ('s2m2', '/no/such.pth', r"'/no/such\.pth' is neither a file nor a known .* s2m2-XL$"),
        ('s2m2', 'depth-anything-v2-base', 'expected one of S2M2'),
        ('s2m2', 'https://example.com/page.html', r'ends in \.pth'),
        ('depth_anything_v2', 's2m2-L', 'expected one of Depth Anything'),
    ],
)
def test_a_checkpoint_that_plainly_cannot_be_had_is_refused_unloaded(name, model, words):
    from vizion3d_ros.contracts.settings.service_settings import ServiceSettings

    network = ServiceSettings().networks[name].model_copy(update={'model_backend': model})
    with pytest.raises(BackendError, match=words):
        check_network(name, network)
