# SPDX-License-Identifier: Apache-2.0
"""A checkpoint goes to ONNX and comes back with the same answers; what cannot be kept is not."""

import hashlib
import sys

import depth_anything_rules
import numpy as np
import pytest
import torch
from exported_networks import pair, weights_of

pytest.importorskip('onnxruntime', reason='needs vizion3d_ros[onnx]')
pytest.importorskip('onnxscript', reason='needs vizion3d_ros[onnx]')

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.errors import BackendError, InputError
from vizion3d_ros.contracts.settings.mono_settings import DepthAnythingSettings, MonoSettings
from vizion3d_ros.contracts.settings.onnx_settings import OnnxSettings
from vizion3d_ros.contracts.settings.stereo_settings import S2m2Settings, StereoSettings
from vizion3d_ros.engine.network_backend import upload
from vizion3d_ros.engine.networks import s2m2
from vizion3d_ros.engine.onnx.export import write as exporting
from vizion3d_ros.engine.onnx.export.half import IN_HALF, halved
from vizion3d_ros.engine.onnx.export.networks import made_up_pair
from vizion3d_ros.engine.onnx_file import read
from vizion3d_ros.engine.registry import load_mono_backend, load_stereo_backend
from vizion3d_ros.geometry.resize import Fit

CLOSE_PX = 1e-3
STEREO = {'min_depth': 0.01, 'max_depth': 10000.0, 'device': 'cpu'}


def s2m2_match(checkpoint, images):
    settings = StereoSettings(
        backend='s2m2', s2m2=S2m2Settings(model_backend=str(checkpoint)), **STEREO
    )
    height, width = images[0].shape[:2]
    rig = StereoRig.from_field_of_view(width, height, 60, 0.1)
    return load_stereo_backend('s2m2').match(*images, rig, settings)


def assert_same(found, expected):
    assert torch.equal(found.disparity.isnan(), expected.disparity.isnan())
    for name in ('disparity', 'confidence', 'visibility'):
        values, wanted = (getattr(each, name).nan_to_num() for each in (found, expected))
        assert (values - wanted).abs().max() < CLOSE_PX, name
    assert found.disparity.nanmean() > 1


def test_the_file_answers_what_the_network_answers(stereo_file, checkpoint, match):
    images = pair()
    assert_same(match(stereo_file, images), s2m2_match(checkpoint, images))


def test_smaller_images_are_padded_to_the_size_of_the_file(stereo_file, match):
    small = tuple(np.ascontiguousarray(image[:90, :150]) for image in pair())
    found = match(stereo_file, small)
    network = s2m2.build('S')
    network.load_state_dict(weights_of('stereo'))
    fit = Fit.onto(90, 150, (128, 192), 32)
    with torch.inference_mode():
        padded = (fit.apply(upload(image, torch.device('cpu'))) for image in small)
        disparity = fit.undo(network(*padded)[0])[0, 0]
    seen = ~found.disparity.isnan()
    assert seen.float().mean() > 0.5
    assert (found.disparity - disparity)[seen].abs().max() < CLOSE_PX


def test_larger_images_are_shrunk_and_disparity_is_scaled_back(stereo_file, match):
    images = tuple(image.repeat(2, 0).repeat(2, 1) for image in pair())
    ratio = match(stereo_file, images).disparity[::2, ::2] / match(stereo_file, pair()).disparity
    assert ratio.nanmedian() == pytest.approx(2, abs=0.05)


def test_a_depth_network_answers_within_a_share_of_its_range(mono_file, mono_checkpoint):
    image = depth_anything_rules.image('exported', 200, 200)
    torch_settings = DepthAnythingSettings(model_backend=str(mono_checkpoint), input_size=140)
    expected = load_mono_backend('depth_anything_v2').estimate(
        image, MonoSettings(device='cpu', depth_anything_v2=torch_settings)
    )
    found = load_mono_backend('onnx').estimate(
        image, MonoSettings(device='cpu', backend='onnx', onnx=OnnxSettings(model=str(mono_file)))
    )
    assert found.values.shape == (200, 200)
    assert not found.metric
    apart = (found.values - expected.values).abs().max() / np.ptp(expected.values.numpy())
    assert apart < depth_anything_rules.CLOSE
    assert 'vits' in found.backend_used and 'float32' in found.backend_used
    assert found.licence == 'Apache-2.0'


def test_the_file_says_what_it_is(stereo_file, checkpoint):
    import onnx

    model = onnx.load(str(stereo_file))
    onnx.checker.check_model(model)
    assert model.producer_name == 'vizion3d_ros'
    notes = {each.key: each.value for each in model.metadata_props}
    assert notes == read(stereo_file).notes
    assert read(stereo_file).opset == 18
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    expected = {
        'network': 'S2M2',
        'variant': 'S',
        'size': '192x128',
        'checkpoint': checkpoint.name,
        'checkpoint_sha256': digest,
        'licence': 'CC BY-NC 4.0 (no commercial use)',
        'precision': 'float32',
        'opset': '18',
        'outputs': 'disparity, visibility, confidence',
    }
    assert expected.items() <= notes.items()
    assert 'pixels' in notes['units']


@pytest.mark.parametrize(
    ('size', 'out', 'said'),
    [
        ((190, 128), 'a.onnx', r'--size 190x128: .*multiples of 32, such as 192x128'),
        ((0, 128), 'a.onnx', r'such as 32x128'),
        ((192, 128), 'a.pth', r'ends in \.onnx'),
        ((192, 128), 'none/a.onnx', r'there is no folder'),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_computed(
    size, out, said, checkpoint, tmp_path
):
    with pytest.raises(InputError, match=said):
        exporting.export(str(checkpoint), size, 'float32', tmp_path / out)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_checkpoint_of_ours_is_refused(stereo_file, tmp_path):
    other = tmp_path / 'other.pth'
    torch.save({'layer.weight': torch.zeros(3)}, other)
    with pytest.raises(BackendError, match=r'no checkpoint of S2M2 or Depth Anything V2'):
        exporting.export(str(other), None, 'float32', tmp_path / 'a.onnx')
    with pytest.raises(BackendError, match=r'is an ONNX file already'):
        exporting.export(str(stereo_file), None, 'float32', tmp_path / 'a.onnx')


def test_a_file_that_differs_too_much_is_not_kept(mono_checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, 'LARGEST_DIFFERENCE', 1e-9)
    out = tmp_path / 'off.onnx'
    out.write_bytes(b'an older one')
    with pytest.raises(BackendError, match=r'differs from the network by \d.* of the range'):
        exporting.export(str(mono_checkpoint), (28, 28), 'float32', out)
    assert [path.name for path in tmp_path.iterdir()] == ['off.onnx']
    assert out.read_bytes() == b'an older one'


@pytest.mark.parametrize('always', [False, True])
def test_what_one_pair_alone_leaves_undecided_is_no_fault(
    always, mono_checkpoint, tmp_path, monkeypatch
):
    """A spot that is off in one of three pairs is told; off in all of them it is a fault."""
    exact = exporting.compare

    def spotted(session, made, number):
        apart = exact(session, made, number)
        if always or number == 0:
            apart[..., 5, 5] = 6.6
        return apart

    monkeypatch.setattr(exporting, 'compare', spotted)
    out = tmp_path / 'spot.onnx'
    if always:
        with pytest.raises(BackendError, match=r'differs from the network by 6\.6 of the range'):
            exporting.export(str(mono_checkpoint), (28, 28), 'float32', out)
        assert not out.exists()
        return
    made = exporting.export(str(mono_checkpoint), (28, 28), 'float32', out)
    assert made.difference < depth_anything_rules.CLOSE
    assert made.facts['difference'].endswith(
        'besides 0.043 % of the pixels, where surfaces fit equally well, up to 6.6 of the range'
    )


def test_float16_leaves_what_is_too_fine_for_it():
    network = s2m2.build('S')
    network.load_state_dict(weights_of('stereo'))
    half = halved(network)
    formats = {
        name: {p.dtype for p in module.parameters()} for name, module in half.named_children()
    }
    assert all(formats[name] == {torch.float16} for name in IN_HALF)
    assert formats['transformer'] == formats['disp_init'] == {torch.float32}
    with torch.inference_mode():
        images = made_up_pair(64, 96)
        apart = (half(*images)[0] - network(*images)[0]).abs().max()
    assert 0 < apart < 0.05


def test_without_the_packages_one_sentence_says_what_to_install(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxscript.optimizer', None)
    with pytest.raises(BackendError, match=r'needs onnx and onnxscript .*vizion3d_ros\[onnx\]'):
        exporting.export(str(checkpoint), None, 'float32', tmp_path / 'a.onnx')


def test_the_made_up_pair_has_the_disparities_it_is_said_to_have():
    left, right = (image[0, 0].numpy() for image in made_up_pair(96, 128))
    assert np.array_equal(left[:20, 20:], right[:20, 14:-6])
    assert np.array_equal(left[40:60, 60:80], right[40:60, 47:67])
