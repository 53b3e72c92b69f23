# SPDX-License-Identifier: Apache-2.0
"""Images of a request, in every form that is allowed, and faults that name the field."""

import cv2
import numpy as np
import pytest
from known_answers import noise

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.picture import PictureLimits
from vizion3d_ros.requests.pictures import read_image, read_pair

RGB = noise(20, 30)


def png(image):
    colour = image[..., ::-1] if image.ndim == 3 else image
    return cv2.imencode('.png', np.ascontiguousarray(colour))[1].tobytes()


@pytest.fixture
def path(tmp_path):
    file = tmp_path / 'a.png'
    file.write_bytes(png(RGB))
    return file


def test_a_path_bytes_and_pixels_are_the_same_image(path):
    content = png(RGB)
    for source in (str(path), path, content, bytearray(content), memoryview(content), RGB):
        np.testing.assert_array_equal(read_image(source, 'image_input'), RGB)


def test_grey_becomes_three_equal_channels():
    grey = RGB[..., 0].copy()
    for source in (png(grey), grey):
        np.testing.assert_array_equal(
            read_image(source, 'image_input'), np.repeat(grey[..., None], 3, -1)
        )


def test_pixels_may_be_a_view_of_any_kind():
    frozen = RGB.copy()
    frozen.flags.writeable = False
    for view in (RGB[..., ::-1], RGB[::-1], RGB[:, ::2], frozen):
        picture = read_image(view, 'image_input')
        assert picture.flags.c_contiguous and picture.flags.writeable
        np.testing.assert_array_equal(picture, view)


@pytest.mark.parametrize(
    'pixels',
    [
        np.zeros((4, 5, 3), np.float32),
        np.zeros((4, 5), np.uint16),
        np.zeros((4, 5, 4), np.uint8),
        np.zeros((4, 5, 1), np.uint8),
        np.zeros((1, 4, 5, 3), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((0, 5, 3), np.uint8),
    ],
)
def test_pixels_of_another_shape_or_type_are_refused(pixels):
    with pytest.raises(InputError, match=f'^image_input: expected uint8 .*{pixels.dtype}'):
        read_image(pixels, 'image_input')


def test_every_source_has_limits():
    for source in (png(RGB), RGB):
        with pytest.raises(InputError, match=r'^image_input: expected at most 599 pixels'):
            read_image(source, 'image_input', PictureLimits(max_pixels=599))


@pytest.mark.parametrize('bad', [b'', b'junk', 'no/such/file.png', np.zeros((2, 2))])
@pytest.mark.parametrize('field', ['left_image', 'right_image'])
def test_the_image_that_is_wrong_is_named(field, bad):
    pair = {'left_image': RGB, 'right_image': RGB, field: bad}
    with pytest.raises(InputError, match=f'^{field}: '):
        read_pair(pair['left_image'], pair['right_image'])


def test_a_path_is_quoted(tmp_path):
    with pytest.raises(InputError, match=r'^left_image: .*missing\.png: no such file'):
        read_pair(str(tmp_path / 'missing.png'), RGB)
    with pytest.raises(InputError, match=r'^right_image: .*got a folder'):
        read_pair(RGB, str(tmp_path))


def test_a_pair_has_one_size_and_keeps_its_sides(path):
    left, right = read_pair(path, RGB[:, ::-1])
    np.testing.assert_array_equal(left, RGB)
    np.testing.assert_array_equal(right, RGB[:, ::-1])
    with pytest.raises(InputError, match='right_image: is 28x20, but left_image is 30x20'):
        read_pair(RGB, RGB[:, 2:])
