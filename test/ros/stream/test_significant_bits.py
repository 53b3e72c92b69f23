# SPDX-License-Identifier: Apache-2.0
"""Cameras of 8, 10 or 12 bits in 16-bit words, and those that only look like it."""

import numpy as np
import pytest
from scene import pixels_message

from vizion3d_ros.ros.stream.significant_bits import (
    ENOUGH_LOOKS,
    LOOK_SECONDS,
    SignificantBits,
)

pytestmark = pytest.mark.ros


def seen(greatest, mono16_bits=16, encoding='mono16', looks=ENOUGH_LOOKS, order='<u2', bits=None):
    """What is said of that many images, a look apart, whose greatest words are these."""
    bits, words = bits or SignificantBits(), np.full((8, 10), greatest, order)
    for look in range(looks):
        message = pixels_message(words, encoding)
        message.is_bigendian = int(order == '>u2')
        bits.look(message, mono16_bits, look * LOOK_SECONDS)
    return bits.doubt


@pytest.mark.parametrize('order', ['<u2', '>u2'])
@pytest.mark.parametrize('encoding', ['mono16', '16UC1', 'bayer_rggb16'])
@pytest.mark.parametrize(('greatest', 'bits'), [(4095, 12), (2000, 12), (1023, 10), (255, 8)])
def test_a_camera_of_few_bits_is_told_which_to_set(greatest, bits, encoding, order):
    text = seen(greatest, encoding=encoding, order=order)
    assert f'set mono16_bits: {bits}' in text and f'the {encoding} images' in text
    assert f'exceeds {greatest}' in text
    assert seen(greatest, bits, encoding, order=order) == ''


@pytest.mark.parametrize('greatest', [4096, 65535, 15, 0])
def test_a_picture_of_16_bits_or_a_black_one_says_nothing(greatest):
    assert seen(greatest) == ''


def test_8_bit_images_and_the_first_looks_say_nothing():
    assert seen(200, encoding='mono8', order='u1') == ''
    assert seen(1000, looks=ENOUGH_LOOKS - 1) == ''
    assert seen(255, mono16_bits=10) == ''


def test_one_bright_image_or_another_encoding_takes_it_back():
    bits = SignificantBits()
    assert seen(1000, bits=bits)
    bits.look(pixels_message(np.full((8, 10), 60000, '<u2'), 'mono16'), 16, 100.0)
    assert bits.doubt == ''
    bits = SignificantBits()
    assert seen(1000, bits=bits)
    bits.look(pixels_message(np.zeros((8, 10), 'u1'), 'mono8'), 16, 100.0)
    assert bits.doubt == ''
