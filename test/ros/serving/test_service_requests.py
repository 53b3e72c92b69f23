# SPDX-License-Identifier: Apache-2.0
"""Requests become commands: what was left out has its default, what is not allowed is named."""

import math
from array import array

import numpy as np
import pytest
from encoded import png
from pydantic import ValidationError
from scene import image_message, textured_pair
from sensor_msgs.msg import Image

from vizion3d_interfaces.msg import DepthEstimationAdvanceConfig, StereoDepthAdvancedConfig
from vizion3d_interfaces.srv import RunDepthEstimation, RunStereoDepth
from vizion3d_ros.contracts import mono_request, stereo_request
from vizion3d_ros.contracts.errors import InputError, explain
from vizion3d_ros.contracts.settings.node_settings import RequestSettings
from vizion3d_ros.requests.pictures import picture_limits, read_image
from vizion3d_ros.ros.serving.service_requests import mono_command, stereo_command

pytestmark = pytest.mark.ros

LEFT, RIGHT = textured_pair(64, 48)
PNG = array('B', png(LEFT))
NOBODY = RequestSettings()
PIXELS = 'image', 'image_bytes', 'image_path'


def stereo(own='', limits=NOBODY, config=None, **fields):
    """The command of a request that is fine but for the given fields."""
    images = {} if any('left' in name for name in fields) else {'left_image_bytes': PNG}
    request = RunStereoDepth.Request(**images, right_image_bytes=PNG, **fields)
    for name, value in (config or {}).items():
        setattr(request.advanced_config, name, value)
    return stereo_command(request, own, limits, 16)


def mono(own='', limits=NOBODY, config=None, **fields):
    images = {} if any(name in PIXELS for name in fields) else {'image_bytes': PNG}
    request = RunDepthEstimation.Request(**images, **fields)
    for name, value in (config or {}).items():
        setattr(request.advanced_config, name, value)
    return mono_command(request, own, limits, 16)


def names(message):
    return list(message.get_fields_and_field_types())


def test_a_request_with_nothing_but_images_is_the_contracts_default():
    command = stereo()
    default = stereo_request.StereoDepthCommand(
        left_image=command.left_image, right_image=command.right_image, model_backend=''
    )
    assert command.advanced_config == default.advanced_config
    assert command.return_depth_image == default.return_depth_image is True
    assert command.return_point_cloud == default.return_point_cloud is False
    assert command.model_backend == ''
    assert command.left_image == command.right_image == PNG.tobytes()


def test_a_mono_request_with_nothing_but_an_image_is_the_contracts_default():
    command = mono()
    assert command.advanced_config == mono_request.DepthEstimationAdvanceConfig()
    assert command.return_depth_image is command.return_point_cloud is False
    np.testing.assert_array_equal(command.image_input, read_image(PNG.tobytes(), 'image'))


def test_the_wire_has_every_number_of_the_contract():
    stereo_fields = set(stereo_request.StereoDepthAdvancedConfig.model_fields)
    assert set(names(StereoDepthAdvancedConfig())) == stereo_fields
    mono_fields = set(mono_request.DepthEstimationAdvanceConfig.model_fields)
    assert set(names(DepthEstimationAdvanceConfig())) == mono_fields


@pytest.mark.parametrize('name', names(StereoDepthAdvancedConfig()))
def test_nan_is_the_default_of_each_stereo_number(name):
    assert stereo(config={name: math.nan}).advanced_config == stereo().advanced_config


@pytest.mark.parametrize('name', names(DepthEstimationAdvanceConfig()))
def test_nan_is_the_default_of_each_mono_number_and_so_is_0(name):
    for value in (math.nan, 0.0):
        assert mono(config={name: value}).advanced_config == mono().advanced_config


def test_0_counts_where_it_is_a_number_of_its_own():
    zeros = ('cx', 'cy', 'doffs', 'conf_threshold', 'occ_threshold')
    config = stereo(config=dict.fromkeys(zeros, 0.0)).advanced_config
    assert [getattr(config, name) for name in zeros] == [0.0] * 5
    unset = ('fy', 'scale_factor', 'min_depth_mm', 'max_depth_mm')
    config = stereo(config=dict.fromkeys(unset, 0.0)).advanced_config
    assert [getattr(config, name) for name in unset] == [None] * 4


def test_numbers_keep_all_their_digits():
    config = stereo(config={'focal_length': 1234.567890123, 'baseline': 0.1}).advanced_config
    assert (config.focal_length, config.baseline) == (1234.567890123, 0.1)
    assert mono(config={'fx': 1234.567890123}).advanced_config.fx == 1234.567890123


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('focal_length', 0.0),
        ('focal_length', math.inf),
        ('fy', -1.0),
        ('cx', -math.inf),
        ('baseline', -100.0),
        ('doffs', math.inf),
        ('z_far', 0.0),
        ('conf_threshold', 1.5),
        ('occ_threshold', -0.1),
        ('scale_factor', 2.0),
        ('min_depth_mm', 1.0),
        ('max_depth_mm', math.inf),
    ],
)
def test_an_impossible_stereo_number_is_named(name, value):
    with pytest.raises(ValidationError) as caught:
        stereo(config={name: value})
    assert explain(caught.value).startswith(f'{name}: ')


@pytest.mark.parametrize(
    ('name', 'value'),
    [('fx', -1.0), ('fy', math.inf), ('cx', math.inf), ('cy', -math.inf), ('depth_trunc', 0.4)],
)
def test_an_impossible_mono_number_is_named(name, value):
    with pytest.raises(ValidationError) as caught:
        mono(config={name: value})
    assert explain(caught.value).startswith(f'{name}: ')


def test_an_image_message_becomes_its_pixels():
    command = stereo(left_image=image_message(LEFT, 1, padding=5))
    np.testing.assert_array_equal(command.left_image, LEFT)
    np.testing.assert_array_equal(
        mono(image=image_message(LEFT, 1)).image_input, np.repeat(LEFT[..., None], 3, axis=2)
    )


def test_mono16_is_read_by_its_significant_bits():
    message = image_message(LEFT, 1, encoding='mono16')
    message.data = array('B', (LEFT.astype('<u2') << 2).tobytes())
    request = RunStereoDepth.Request(left_image=message, right_image=message)
    np.testing.assert_array_equal(stereo_command(request, '', NOBODY, 10).left_image, LEFT)


def test_a_path_is_followed_inside_the_allowed_folders_only(tmp_path):
    (tmp_path / 'a.png').write_bytes(PNG)
    limits = RequestSettings(allowed_input_dirs=[str(tmp_path)])
    path = str(tmp_path / 'a.png')
    assert stereo(limits=limits, left_image_path=path).left_image == tmp_path / 'a.png'
    assert mono(limits=limits, image_path=path).image_input.shape == (48, 64, 3)
    with pytest.raises(InputError, match=r'^left_image_path: .*allowed_input_dirs'):
        stereo(left_image_path=path)
    with pytest.raises(InputError, match=r'^image_path: .*allowed_input_dirs'):
        mono(image_path=path)


@pytest.mark.parametrize(
    ('request_', 'told'),
    [
        (RunStereoDepth.Request(), 'left_image: .* got none'),
        (RunStereoDepth.Request(left_image_bytes=PNG), 'right_image: .* got none'),
        (
            RunStereoDepth.Request(left_image_bytes=PNG, left_image=Image(width=1)),
            'left_image: expected exactly one of left_image_bytes, left_image, left_image_path, '
            'got left_image_bytes and left_image',
        ),
        (
            RunStereoDepth.Request(left_image=Image(width=1), left_image_path='a'),
            'left_image: .* got left_image and left_image_path',
        ),
    ],
)
def test_each_image_comes_in_exactly_one_way(request_, told):
    with pytest.raises(InputError, match=f'^{told}'):
        stereo_command(request_, '', NOBODY, 16)


def test_no_image_at_all_for_one_camera():
    with pytest.raises(InputError, match=r'^image: .* image_bytes, image, image_path, got none'):
        mono_command(RunDepthEstimation.Request(), '', NOBODY, 16)


def broken(**fields):
    message = image_message(LEFT, 1)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


@pytest.mark.parametrize(
    ('fields', 'told'),
    [
        ({'step': 63}, 'step is 63 bytes'),
        ({'encoding': 'smellovision'}, "'smellovision'"),
        ({'data': array('B')}, '0 bytes'),
        ({'height': 0}, '64x0'),
        ({'height': 10**6, 'width': 10**6}, r'1000000x1000000, .* 16000000 pixels'),
    ],
)
def test_a_broken_image_message_is_named_with_its_field(fields, told):
    with pytest.raises(InputError, match=rf'^left_image: .*{told}'):
        stereo(left_image=broken(**fields))
    with pytest.raises(InputError, match=rf'^image: .*{told}'):
        mono(image=broken(**fields))


def test_what_is_no_image_is_named_as_the_caller_of_the_service_knows_it():
    with pytest.raises(InputError, match=r'^image: expected an image'):
        mono(image_bytes=array('B', b'hello'))


def test_a_checkpoint_is_named_in_either_field_and_the_path_comes_first(tmp_path):
    file = tmp_path / 'a.pth'
    file.touch()
    limits = RequestSettings(allowed_models=[str(file), 's2m2-S'])
    assert mono(limits=limits, local_model_path=str(file)).model_backend == str(file)
    both = mono(limits=limits, local_model_path=str(file), model_backend='s2m2-S')
    assert both.model_backend == str(file)
    assert mono(limits=limits, model_backend='s2m2-S').model_backend == 's2m2-S'
    assert mono(own='own.pth', model_backend='own.pth').model_backend == 'own.pth'
    for field in ('model_backend', 'local_model_path'):
        with pytest.raises(InputError, match=rf'^{field}: .*allowed_models'):
            mono(**{field: '/etc/passwd'})
        # Not a file of that name in the folder where the node happens to run.
        with pytest.raises(InputError, match=rf"^{field}: 'opencv-sgbm' needs two images"):
            mono(**{field: 'opencv-sgbm'})


def test_the_matcher_without_weights_needs_no_permission():
    assert stereo(model_backend='opencv-sgbm').model_backend == 'opencv-sgbm'
    with pytest.raises(InputError, match=r"^model_backend: .*'s2m2-L'"):
        stereo(model_backend='s2m2-L')


def test_limits_are_those_of_the_operator():
    limits = picture_limits(RequestSettings(max_pixels=4096, max_bytes=2048))
    assert (limits.max_pixels, limits.max_bytes) == (4096, 2048)
