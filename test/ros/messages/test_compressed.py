# SPDX-License-Identifier: Apache-2.0
"""CompressedImage of every format that image_transport writes, and what is no picture."""

from array import array
from functools import partial

import cv2
import numpy as np
import pytest
from encoded import png_that_claims
from scene import stamped
from sensor_msgs.msg import CompressedImage

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.picture import PictureLimits
from vizion3d_ros.incoming.compressed import decode_pair
from vizion3d_ros.incoming.images import image_to_array
from vizion3d_ros.ros.messages.compressed import as_image

pytestmark = pytest.mark.ros

LIMITS = PictureLimits(max_pixels=10_000, max_bytes=100_000)
RNG = np.random.default_rng(3)
SMOOTH = cv2.GaussianBlur(RNG.integers(0, 256, (40, 60, 3), np.uint8), (0, 0), 3)
GREY = SMOOTH[..., 0]
WORDS = RNG.integers(0, 4096, (40, 60), np.uint16)
RED = np.full((40, 60, 3), (200, 40, 10), np.uint8)


def compressed(pixels, format_, ending='.png'):
    """The message of pixels, (H, W) or (H, W, 3) in the order BGR that OpenCV writes."""
    return packed(cv2.imencode(ending, pixels)[1].tobytes(), format_)


def packed(data, format_):
    message = stamped(CompressedImage, 5, 'camera')
    message.format, message.data = format_, array('B', data)
    return message


def decoded(message, bits=16):
    return image_to_array(as_image(message, LIMITS), bits)


@pytest.mark.parametrize(
    'format_', ['png', 'bgr8; png compressed bgr8', 'rgba8; png compressed bgr8']
)
def test_png_in_colour_is_bit_for_bit_what_was_sent(format_):
    message = compressed(SMOOTH[..., ::-1], format_)
    image = as_image(message, LIMITS)
    assert (image.header, image.encoding, image.step) == (message.header, 'rgb8', 180)
    assert np.array_equal(image_to_array(image), SMOOTH)


@pytest.mark.parametrize('format_', ['mono8; png compressed ', '8UC1; png compressed ', 'png'])
def test_png_in_grey_stays_grey(format_):
    image = as_image(compressed(GREY, format_), LIMITS)
    assert image.encoding == 'mono8'
    assert np.array_equal(image_to_array(image), GREY)


@pytest.mark.parametrize('format_', ['mono16; png compressed ', '16UC1; png compressed ', 'png'])
def test_png_of_16_bits_keeps_its_words_for_mono16_bits(format_):
    message = compressed(WORDS, format_)
    assert as_image(message, LIMITS).encoding == 'mono16'
    assert np.array_equal(decoded(message, 12), WORDS >> 4)


def test_png_of_16_bits_in_colour_keeps_its_words():
    words = np.stack([WORDS, WORDS // 2, WORDS // 4], -1)
    message = compressed(words[..., ::-1], 'rgb16; png compressed bgr16')
    assert np.array_equal(decoded(message, 12), words >> 4)


@pytest.mark.parametrize(
    'format_', ['rgb8; jpeg compressed bgr8', 'jpeg', 'jpg', 'yuv422_yuy2; jpeg compressed bgr8']
)
def test_jpeg_in_colour_is_nearly_what_was_sent(format_):
    error = decoded(compressed(RED[..., ::-1], format_, '.jpg')).astype(int) - RED
    assert np.abs(error).max() < 6


def test_jpeg_in_grey_is_nearly_what_was_sent():
    for format_ in ('mono8; jpeg compressed mono8', 'mono16; jpeg compressed mono8'):
        error = decoded(compressed(GREY, format_, '.jpg')).astype(int) - GREY
        assert np.abs(error).mean() < 2


def test_colours_that_ros_1_stored_the_other_way_round_come_out_right():
    message = compressed(RED, 'rgb8; png compressed rgb8')
    assert np.array_equal(decoded(message), RED)


@pytest.mark.parametrize('bits', [8, 16])
def test_a_mosaic_in_png_becomes_colours_and_in_jpeg_it_is_grey_already(bits):
    mosaic = np.zeros((40, 60), np.uint8 if bits == 8 else np.uint16)
    mosaic[::2, ::2] = 2**bits - 1  # of RGGB the red ones
    message = compressed(mosaic, f'bayer_rggb{bits}; png compressed ')
    assert as_image(message, LIMITS).encoding == f'bayer_rggb{bits}'
    assert decoded(message)[20, 30].tolist() == [255, 0, 0]
    grey = compressed(GREY, f'bayer_rggb{bits}; jpeg compressed mono8', '.jpg')
    assert as_image(grey, LIMITS).encoding == 'mono8'


@pytest.mark.parametrize(
    ('message', 'words'),
    [
        (packed(b'', 'jpeg'), ("'jpeg'", 'nothing')),
        (
            packed(b'\0\0\0\1' * 9, 'h264'),
            ("'h264'", 'expected an image', '36 bytes of something'),
        ),
        (
            compressed(WORDS, '16UC1; compressedDepth png'),
            ('compressedDepth', 'depth, no picture'),
        ),
        (packed(png_that_claims(4000, 4000), 'png'), ('at most 10000 pixels', '4000x4000')),
        (packed(bytes(100_001), 'png'), ('at most 100000 bytes',)),
        (packed(cv2.imencode('.jpg', SMOOTH)[1].tobytes()[:-300], 'jpeg'), ('JPEG', 'damaged')),
        (packed(cv2.imencode('.png', SMOOTH)[1].tobytes()[:-300], 'png'), ('damaged',)),
        (compressed(WORDS.astype(np.float32), '32FC1; tiff compressed ', '.tiff'), ('TIFF',)),
    ],
    ids=['empty', 'video', 'depth', 'huge', 'heavy', 'cut jpeg', 'cut png', 'numbers'],
)
def test_what_is_no_picture_is_named_with_its_format(message, words):
    with pytest.raises(InputError) as caught:
        as_image(message, LIMITS)
    assert all(word in str(caught.value) for word in (*words, repr(message.format)))


def test_of_a_pair_the_side_is_named():
    good, bad = compressed(GREY, 'png'), packed(b'', 'png')
    decode = partial(as_image, limits=LIMITS)
    left, right = decode_pair(good, good, decode)
    assert np.array_equal(image_to_array(left), image_to_array(right))
    for pair, side in (((bad, good), 'left'), ((good, bad), 'right')):
        with pytest.raises(InputError, match=rf'^{side}: compressed image'):
            decode_pair(*pair, decode)
