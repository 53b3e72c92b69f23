# SPDX-License-Identifier: Apache-2.0
"""Every encoding, with row padding and both byte orders, and every message that lies."""

import array

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image, RegionOfInterest

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.incoming.encodings import ENCODINGS
from vizion3d_ros.incoming.images import calibration_of, image_to_array, pair_to_arrays

pytestmark = pytest.mark.ros

HEIGHT, WIDTH = 6, 10
RNG = np.random.default_rng(4)
RGB = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
GREY = RNG.integers(0, 256, (HEIGHT, WIDTH), np.uint8)
ALPHA = RNG.integers(0, 256, (HEIGHT, WIDTH, 1), np.uint8)
BGR = RGB[..., ::-1]
PADDING = pytest.mark.parametrize('padding', [0, 1, 7])


def message(encoding, pixels, padding=0, is_bigendian=0):
    """Build an Image from rows of whatever type, with random bytes after every row."""
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(height, -1)
    filler = RNG.integers(0, 256, (height, padding), np.uint8)
    image = Image(height=height, width=width, encoding=encoding, is_bigendian=is_bigendian)
    image.step = rows.shape[1] + padding
    image.data = array.array('B', np.concatenate([rows, filler], axis=1).tobytes())
    return image


EIGHT_BIT = {
    'mono8': (GREY, GREY),
    '8UC1': (GREY, GREY),
    'rgb8': (RGB, RGB),
    'bgr8': (BGR, RGB),
    '8UC3': (BGR, RGB),
    'rgba8': (np.concatenate([RGB, ALPHA], -1), RGB),
    'bgra8': (np.concatenate([BGR, ALPHA], -1), RGB),
    '8UC4': (np.concatenate([BGR, ALPHA], -1), RGB),
}


@PADDING
@pytest.mark.parametrize('is_bigendian', [0, 1])
@pytest.mark.parametrize('encoding', EIGHT_BIT)
def test_eight_bit_encodings_give_the_scene(encoding, is_bigendian, padding):
    sent, expected = EIGHT_BIT[encoding]
    answer = image_to_array(message(encoding, sent, padding, is_bigendian))
    assert answer.dtype == np.uint8
    np.testing.assert_array_equal(answer, expected)


@PADDING
@pytest.mark.parametrize('encoding', ['mono8', '8UC1', 'rgb8'])
def test_mono8_and_rgb8_are_views_of_the_message(encoding, padding):
    image = message(encoding, EIGHT_BIT[encoding][0], padding)
    answer = image_to_array(image)
    assert np.shares_memory(answer, np.frombuffer(image.data, np.uint8))
    image.data[0] ^= 0xFF
    assert answer.flat[0] == image.data[0]


@PADDING
@pytest.mark.parametrize(('is_bigendian', 'order'), [(0, '<u2'), (1, '>u2')])
@pytest.mark.parametrize('bits', [8, 10, 12, 16])
@pytest.mark.parametrize('encoding', ['mono16', '16UC1'])
def test_sixteen_bit_keeps_the_upper_eight_significant_bits(
    encoding, bits, is_bigendian, order, padding
):
    full = 2**bits - 1
    words = np.linspace(0, full, 60).astype(np.uint16).reshape(6, 10)
    image = message(encoding, words.astype(order), padding, is_bigendian)
    answer = image_to_array(image, mono16_bits=bits)
    assert answer.dtype == np.uint8
    np.testing.assert_array_equal(answer, words // 2 ** (bits - 8))
    assert (answer.min(), answer.max()) == (0, 255)


def test_brighter_than_the_significant_bits_saturates():
    words = np.array([[1023, 1024, 4095, 65535]], np.uint16).astype('<u2')
    assert image_to_array(message('mono16', words), mono16_bits=10).tolist() == [[255] * 4]


BAYER = [f'bayer_{pattern}8' for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')]
COLORS = [(200, 100, 50), (10, 250, 90), (255, 0, 0), (0, 0, 255)]


@PADDING
@pytest.mark.parametrize('color', COLORS)
@pytest.mark.parametrize('encoding', BAYER)
def test_bayer_patterns_are_named_by_their_first_rows(encoding, color, padding):
    """A surface of one colour has that colour at every pixel, whatever the interpolation."""
    level = dict(zip('rgb', color))
    pattern = [level[letter] for letter in encoding.removeprefix('bayer_')[:4]]
    mosaic = np.tile(np.array(pattern, np.uint8).reshape(2, 2), (4, 5))
    answer = image_to_array(message(encoding, mosaic, padding))
    np.testing.assert_array_equal(answer, np.broadcast_to(np.uint8(color), (8, 10, 3)))


SIXTEEN_BIT = {
    'rgb16': RGB,
    'bgr16': BGR,
    '16UC3': BGR,
    'rgba16': EIGHT_BIT['rgba8'][0],
    'bgra16': EIGHT_BIT['bgra8'][0],
    '16UC4': EIGHT_BIT['bgra8'][0],
}
BYTE_ORDERS = pytest.mark.parametrize(('is_bigendian', 'order'), [(0, '<u2'), (1, '>u2')])


@PADDING
@BYTE_ORDERS
@pytest.mark.parametrize('bits', [8, 10, 12, 16])
@pytest.mark.parametrize('encoding', SIXTEEN_BIT)
def test_sixteen_bit_colour_keeps_them_too(encoding, bits, is_bigendian, order, padding):
    words = (SIXTEEN_BIT[encoding].astype(np.uint16) << (bits - 8)).astype(order)
    answer = image_to_array(message(encoding, words, padding, is_bigendian), mono16_bits=bits)
    assert answer.dtype == np.uint8
    np.testing.assert_array_equal(answer, RGB)


@BYTE_ORDERS
@pytest.mark.parametrize('bits', [10, 12, 16])
@pytest.mark.parametrize('encoding', BAYER)
def test_sixteen_bit_bayer_is_that_of_eight(encoding, bits, is_bigendian, order):
    mosaic = RNG.integers(0, 256, (8, 10), np.uint8)
    words = (mosaic.astype(np.uint16) << (bits - 8)).astype(order)
    sent = message(encoding.replace('8', '16'), words, 3, is_bigendian)
    expected = image_to_array(message(encoding, mosaic))
    np.testing.assert_array_equal(image_to_array(sent, mono16_bits=bits), expected)


# BT.601, limited range: R = 1.164 (Y - 16) + 1.596 (V - 128) and so on.
YUV_COLORS = [
    ((16, 128, 128), (0, 0, 0)),
    ((235, 128, 128), (255, 255, 255)),
    ((126, 128, 128), (128, 128, 128)),
    ((81, 90, 240), (254, 0, 0)),
    ((41, 240, 110), (0, 0, 255)),
]


@PADDING
@pytest.mark.parametrize(('yuv', 'rgb'), YUV_COLORS)
@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('yuv422', 'uyvy'), ('uyvy', 'uyvy'), ('yuv422_yuy2', 'yuyv'), ('yuyv', 'yuyv')],
)
def test_yuv422_in_both_orders(encoding, order, yuv, rgb, padding):
    level = dict(zip('yuv', yuv))
    two_pixels = np.array([level[letter] for letter in order], np.uint8)
    answer = image_to_array(message(encoding, np.tile(two_pixels, 12).reshape(4, 6, 2), padding))
    assert answer.shape == (4, 6, 3)
    np.testing.assert_allclose(answer.astype(int), np.broadcast_to(rgb, (4, 6, 3)), atol=2)


def test_yuv422_keeps_the_brightness_of_each_pixel():
    luma = np.array([[16, 60, 120, 235]], np.uint8)
    pixels = np.stack([luma, np.full_like(luma, 128)], -1)
    answer = image_to_array(message('yuyv', pixels))
    assert (np.diff(answer[0, :, 0].astype(int)) > 30).all()


@pytest.mark.parametrize('encoding', ['yuv422', 'yuyv'])
def test_an_odd_width_cannot_be_yuv422_and_says_so(encoding):
    with pytest.raises(InputError, match=f'a {encoding} image of 5x2 cannot be decoded'):
        image_to_array(message(encoding, np.zeros((2, 5, 2), np.uint8)))


def four_by_four(encoding):
    return message(encoding, np.zeros((4, 4, ENCODINGS[encoding].pixel_bytes), np.uint8))


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize('missing', [1, 4, None])
def test_truncated_data_is_refused_with_both_sizes(encoding, missing):
    image = four_by_four(encoding)
    needed = len(image.data)
    image.data = image.data[: needed - missing] if missing else array.array('B')
    with pytest.raises(InputError, match='truncated') as caught:
        image_to_array(image)
    assert f'has {len(image.data)} bytes' in str(caught.value)
    assert f'needs {needed}' in str(caught.value)


@pytest.mark.parametrize('times', [1.5, 2, 3])
def test_data_of_larger_pixels_than_the_encoding_has_is_refused(times):
    image = four_by_four('mono8')
    image.data = array.array('B', bytes(round(16 * times)))
    if times < 2:
        assert image_to_array(image).shape == (4, 4)
        return
    with pytest.raises(InputError, match=r'4 rows are 16: the encoding or the step is that of'):
        image_to_array(image)


@pytest.mark.parametrize('encoding', ['yuv422', 'yuv422_yuy2'])
def test_pixels_that_share_colours_want_an_even_width_and_nothing_of_opencv_is_told(encoding):
    image = message(encoding, np.zeros((4, 3, 2), np.uint8))
    with pytest.raises(InputError, match='must be even and at least 2') as caught:
        image_to_array(image)
    assert 'OpenCV' not in str(caught.value)


@pytest.mark.parametrize(('encoding', 'words'), [('mono8', 3), ('mono8', 4), ('mono16', 3)])
def test_rows_of_colours_that_are_said_to_be_grey_are_refused(encoding, words):
    image = message(encoding, np.zeros((4, 4, words), np.uint8 if encoding == 'mono8' else '<u2'))
    with pytest.raises(InputError, match=f'{words} times what a row of 4 .* colours by another'):
        image_to_array(image)


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize('step', [0, -1])
def test_a_step_too_small_is_refused(encoding, step):
    image = four_by_four(encoding)
    image.step = image.step - 1 if step else 0
    with pytest.raises(InputError, match=f'image step is {image.step} bytes but a row of 4'):
        image_to_array(image)


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize('size', [(0, 4), (4, 0), (0, 0)])
def test_an_empty_image_is_refused(encoding, size):
    image = Image(width=size[0], height=size[1], encoding=encoding)
    with pytest.raises(InputError, match=f'image is empty: {size[0]}x{size[1]}'):
        image_to_array(image)


def test_bytes_after_the_last_row_do_no_harm():
    image = message('mono8', GREY)
    image.data.extend(b'trailer')
    np.testing.assert_array_equal(image_to_array(image), GREY)


@pytest.mark.parametrize('encoding', ['', 'banana', 'RGB8', '32FC1', 'nv12'])
def test_an_encoding_nobody_decodes_is_quoted_with_the_ones_we_take(encoding):
    with pytest.raises(InputError) as caught:
        image_to_array(message(encoding, np.zeros((4, 4), np.float32)))
    assert str(caught.value).startswith(f'encoding {encoding!r} cannot be decoded to rgb8')
    assert 'publish one of mono8, 8UC1, rgb8' in str(caught.value)


@pytest.mark.parametrize(
    ('encoding', 'word'),
    [('RGB8', "expected 'rgb8'"), ('32FC1', 'depth'), ('64FC2', 'depth'), ('16SC1', 'depth')],
)
def test_what_a_wrong_encoding_may_be_is_said(encoding, word):
    with pytest.raises(InputError, match=word):
        image_to_array(message(encoding, np.zeros((4, 4), np.float32)))


def test_a_pair_of_one_kind_is_kept_as_it_is():
    left, right = pair_to_arrays(message('mono8', GREY), message('mono8', GREY))
    assert left.ndim == right.ndim == 2
    left, right = pair_to_arrays(message('rgb8', RGB), message('bgr8', BGR))
    np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize('grey_first', [True, False])
def test_grey_beside_colour_gets_three_equal_channels(grey_first):
    images = [message('mono8', GREY, 3), message('rgb8', RGB)]
    answers = pair_to_arrays(*images if grey_first else images[::-1])
    grey, color = answers if grey_first else answers[::-1]
    np.testing.assert_array_equal(grey, np.repeat(GREY[..., None], 3, axis=-1))
    np.testing.assert_array_equal(color, RGB)


def test_both_images_use_the_same_significant_bits():
    words = message('mono16', np.full((2, 2), 1023, '<u2'))
    assert [int(a.max()) for a in pair_to_arrays(words, words, mono16_bits=10)] == [255, 255]


@pytest.mark.parametrize('side', ['left', 'right'])
def test_the_error_names_the_side(side):
    images = {'left': message('mono8', GREY), 'right': message('mono8', GREY), side: Image()}
    with pytest.raises(InputError, match=f'^{side}: '):
        pair_to_arrays(images['left'], images['right'])


def test_camera_info_keeps_what_decides_geometry():
    roi = RegionOfInterest(x_offset=1, y_offset=2, width=30, height=20)
    k, p = [float(n) for n in range(9)], [float(n) for n in range(12)]
    info = CameraInfo(width=64, height=48, k=k, p=p, binning_x=2, binning_y=4, roi=roi)
    content = calibration_of(info)
    assert (content.width, content.height) == (64, 48)
    assert (content.k, content.p) == (tuple(k), tuple(p))
    assert (content.binning, content.roi) == ((2, 4), (1, 2, 30, 20))
    assert content == calibration_of(info)
