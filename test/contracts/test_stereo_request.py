# SPDX-License-Identifier: Apache-2.0
"""The stereo request: names and defaults as documented, faults that name the field."""

import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from vizion3d_ros.contracts.errors import InputError, explain
from vizion3d_ros.contracts.stereo_request import (
    DEFAULT_STEREO_BACKEND,
    StereoDepthAdvancedConfig,
    StereoDepthCommand,
)
from vizion3d_ros.engine.weights.names import known_by_url

PAIR = {'left_image': 'left.png', 'right_image': 'right.png'}


def test_the_defaults_are_those_of_the_documentation():
    command = StereoDepthCommand(**PAIR)
    assert command.model_backend == DEFAULT_STEREO_BACKEND
    assert (command.return_depth_image, command.return_raw_depth) == (True, True)
    assert command.return_point_cloud is False
    assert command.advanced_config.model_dump() == {
        **{'focal_length': 1000.0, 'cx': 640.0, 'cy': 360.0, 'baseline': 100.0, 'doffs': 0.0},
        **{'z_far': 50.0, 'conf_threshold': 0.1, 'occ_threshold': 0.5, 'scale_factor': None},
        **{'fy': None, 'min_depth_mm': None, 'max_depth_mm': None},
    }


def test_the_default_checkpoint_is_a_known_one():
    assert known_by_url(DEFAULT_STEREO_BACKEND).name == 's2m2-L'


@pytest.mark.parametrize(
    'image', ['a.png', Path('a.png'), b'png', bytearray(b'png'), np.zeros((2, 2), np.uint8)]
)
def test_an_image_is_a_path_bytes_or_pixels(image):
    assert StereoDepthCommand(left_image=image, right_image=image).left_image is image


@pytest.mark.parametrize('image', [None, 3, [[1, 2]], {'path': 'x'}])
def test_anything_else_is_no_image(image):
    with pytest.raises(ValidationError) as caught:
        StereoDepthCommand(left_image='left.png', right_image=image)
    assert explain(caught.value).startswith('right_image: expected the path of an image')
    assert type(image).__name__ in explain(caught.value)


def test_both_images_are_needed():
    with pytest.raises(ValidationError, match='right_image'):
        StereoDepthCommand(left_image='left.png')


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        *[('focal_length', value) for value in (0, -1.0, np.nan, np.inf, 1e300, 'wide')],
        *[('fy', value) for value in (0, -1.0, np.nan)],
        *[('baseline', value) for value in (0, -100.0, np.nan, 1e300)],
        *[(name, value) for name in ('cx', 'cy', 'doffs') for value in (np.nan, -1e300, 1e300)],
        *[('z_far', value) for value in (0, -1.0, np.inf)],
        *[('conf_threshold', value) for value in (-0.1, 1.1, np.nan)],
        *[('occ_threshold', value) for value in (-0.1, 1.1, np.nan)],
        *[('scale_factor', value) for value in (0, -1.0, 1.5, np.nan)],
        *[('min_depth_mm', value) for value in (0, 1, np.nan)],
        *[('max_depth_mm', value) for value in (0, 1e8, np.nan)],
        ('focal', 1000.0),
    ],
)
def test_a_number_that_cannot_be_is_named(field, value):
    with pytest.raises(ValidationError) as caught:
        StereoDepthAdvancedConfig(**{field: value})
    assert explain(caught.value).startswith(f'{field}: ')


def test_the_depths_searched_must_be_in_order():
    with pytest.raises(ValidationError, match=r'max_depth_mm must be larger .* got 600 and 300'):
        StereoDepthAdvancedConfig(min_depth_mm=600, max_depth_mm=300)


def test_numbers_of_numpy_will_do():
    config = StereoDepthAdvancedConfig(focal_length=np.float32(900.5), cx=np.int64(3))
    assert (config.focal_length, config.cx) == (900.5, 3.0)


def test_what_was_made_cannot_be_changed_and_how_to_make_another_is_told():
    config = StereoDepthAdvancedConfig(cx=5.0)
    told = re.escape('StereoDepthAdvancedConfig(baseline=...)')
    with pytest.raises(InputError, match=f'^baseline: .* cannot be changed.*{told}'):
        config.baseline = 193.0
    another = StereoDepthAdvancedConfig(**{**dict(config), 'baseline': 193.0})
    assert (another.cx, another.baseline, config.baseline) == (5.0, 193.0, 100.0)
