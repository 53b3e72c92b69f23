# SPDX-License-Identifier: Apache-2.0
"""The S2M2 backend: sizes, scaling, state, faults. The network itself is tested beside this."""

import logging

import numpy as np
import pytest
import s2m2_rules as rules
import torch

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.settings.stereo_settings import S2m2Settings, StereoSettings
from vizion3d_ros.engine.networks import s2m2
from vizion3d_ros.engine.s2m2 import S2m2Backend

WIDE = {'min_depth': 0.01, 'max_depth': 10000.0, 'device': 'cpu'}


@pytest.fixture(scope='module')
def weights():
    return {k: torch.as_tensor(v) for k, v in rules.state_dict('S', 103).items()}


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory, weights):
    path = tmp_path_factory.mktemp('models') / 'rule_s.pth'
    torch.save({'state_dict': weights}, path)
    return path


@pytest.fixture(scope='module')
def backend():
    return S2m2Backend()


def pair(height, width, shift=6):
    rng = np.random.default_rng(3)
    texture = rng.integers(0, 255, (height, width + shift, 3), dtype=np.uint8)
    return np.ascontiguousarray(texture[:, :width]), np.ascontiguousarray(texture[:, shift:])


def run(backend, images, checkpoint, **changes):
    settings = StereoSettings(
        backend='s2m2', s2m2=S2m2Settings(model_backend=str(checkpoint), **changes), **WIDE
    )
    height, width = images[0].shape[:2]
    rig = StereoRig.from_field_of_view(width, height, 60, 0.1)
    return backend.match(*images, rig, settings)


def test_a_size_that_fits_gives_what_the_network_gives(backend, checkpoint, weights):
    left, right = pair(64, 96)
    match = run(backend, (left, right), checkpoint)
    network = s2m2.build('S')
    network.load_state_dict(weights)
    with torch.inference_mode():
        tensors = (torch.from_numpy(x).permute(2, 0, 1)[None].float() for x in (left, right))
        disparity, visibility, confidence = (maps[0, 0] for maps in network(*tensors))
    seen = ~match.disparity.isnan()
    assert seen.float().mean() > 0.5
    torch.testing.assert_close(match.disparity[seen], disparity[seen])
    torch.testing.assert_close(match.visibility[seen], visibility[seen].clamp(0, 1))
    torch.testing.assert_close(match.confidence[seen], confidence[seen].clamp(0, 1))
    assert 'S2M2-S' in match.backend_used and 'rule_s.pth' in match.backend_used


@pytest.mark.parametrize('size', [(70, 101), (33, 95), (20, 40)])
def test_any_size_comes_back_whole(size, backend, checkpoint):
    match = run(backend, pair(*size), checkpoint)
    for values in (match.disparity, match.confidence, match.visibility):
        assert values.shape == size
        assert values.dtype == torch.float32
    missing = match.disparity.isnan()
    assert (match.confidence[missing] == 0).all()
    assert (match.visibility[missing] == 0).all()


def test_a_shrunken_pair_is_scaled_back_by_the_true_ratio(checkpoint, spy):
    def ten_pixels(left, right):
        return left[:, :1] * 0 + 10, left[:, :1] * 0 + 1, left[:, :1] * 0 + 1

    spy.answer = ten_pixels
    match = run(S2m2Backend(), pair(768, 1024), checkpoint, max_width=960, max_height=540)
    ((left, right),) = spy.seen
    assert left.shape == right.shape == (1, 3, 544, 736)  # 720 x 540 after shrinking, then padded
    torch.testing.assert_close(match.disparity, torch.full((768, 1024), 10 * 1024 / 720))
    assert match.step == 1024 / 720 / 16


def test_grey_is_three_equal_channels(backend, checkpoint):
    grey = tuple(image[..., 0].copy() for image in pair(64, 96))
    color = tuple(np.repeat(image[..., None], 3, -1) for image in grey)
    first, second = (run(backend, images, checkpoint) for images in (grey, color))
    assert torch.equal(first.disparity.nan_to_num(), second.disparity.nan_to_num())


def test_earlier_pairs_leave_no_trace(backend, checkpoint):
    fresh = run(S2m2Backend(), pair(64, 96), checkpoint).disparity
    for size in ((96, 64), (64, 128)):
        run(backend, pair(*size), checkpoint)
    again = run(backend, pair(64, 96), checkpoint).disparity
    assert torch.equal(fresh.nan_to_num(), again.nan_to_num())


def test_the_network_is_loaded_once(backend, checkpoint, caplog):
    run(backend, pair(64, 96), checkpoint)
    with caplog.at_level(logging.INFO, 'vizion3d_ros'):
        run(backend, pair(64, 96), checkpoint)
    assert 'loaded' not in caplog.text


def test_a_bad_checkpoint_is_refused_and_the_old_one_still_works(backend, checkpoint, tmp_path):
    bad = tmp_path / 'bad.pth'
    bad.write_bytes(b'<html>not found</html>')
    before = run(backend, pair(64, 96), checkpoint).disparity
    with pytest.raises(BackendError, match=r'bad\.pth'):
        run(backend, pair(64, 96), bad)
    after = run(backend, pair(64, 96), checkpoint).disparity
    assert torch.equal(before.nan_to_num(), after.nan_to_num())


def test_memory_that_does_not_suffice_is_a_clear_error(checkpoint, spy):
    backend = S2m2Backend()
    run(backend, pair(64, 96), checkpoint)

    def starved(left, right):
        raise torch.OutOfMemoryError('CUDA out of memory')

    spy.answer = starved
    with pytest.raises(BackendError, match=r's2m2\.max_width'):
        run(backend, pair(64, 96), checkpoint)
    spy.answer = None
    assert run(backend, pair(64, 96), checkpoint).disparity.shape == (64, 96)
    assert spy.loaded == 1


def test_a_graph_without_a_gpu_runs_eagerly_and_says_so(checkpoint, caplog):
    with caplog.at_level(logging.WARNING, 'vizion3d_ros'):
        graph = run(S2m2Backend(), pair(64, 96), checkpoint, compile='graph').disparity
    assert [r.getMessage() for r in caplog.records if 'graph' in r.getMessage()]
    eager = run(S2m2Backend(), pair(64, 96), checkpoint).disparity
    assert torch.equal(graph.nan_to_num(), eager.nan_to_num())


def test_only_depths_asked_for_are_answered(backend, checkpoint):
    images = pair(64, 96)
    rig = StereoRig.from_field_of_view(96, 64, 60, 0.1)
    settings = StereoSettings(
        backend='s2m2',
        device='cpu',
        min_depth=1.0,
        max_depth=2.0,
        s2m2=S2m2Settings(model_backend=str(checkpoint)),
    )
    match = backend.match(*images, rig, settings)
    depth = rig.focal_baseline / match.disparity[~match.disparity.isnan()]
    assert (depth >= 1.0 - 1e-6).all()
    assert (depth <= 2.0 + 1e-6).all()
    assert match.min_disparity == pytest.approx(rig.focal_baseline / 2.0)
    assert match.max_disparity == pytest.approx(rig.focal_baseline / 1.0)


def test_half_precision_stays_close(backend, checkpoint):
    images = pair(64, 96)
    full = run(backend, images, checkpoint).disparity
    half = run(S2m2Backend(), images, checkpoint, precision='bfloat16').disparity
    both = ~(full.isnan() | half.isnan())
    assert (full - half)[both].abs().median() < 1.0


def test_a_size_that_memory_could_not_hold_is_refused(backend, checkpoint):
    with pytest.raises(BackendError, match=r'4096x4096.*s2m2\.max_width'):
        run(backend, pair(4096, 4096), checkpoint, max_width=8192, max_height=8192)
