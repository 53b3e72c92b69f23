# SPDX-License-Identifier: Apache-2.0
"""Whatever a CompressedImage holds: pixels of the size that it has, or our own error."""

from array import array

import cv2
import numpy as np
import pytest
from allocation import at_most
from encoded import png_that_claims
from hypothesis import given
from hypothesis import strategies as st
from outcomes import accepted, both_ways, refused
from sensor_msgs.msg import CompressedImage

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.picture import PictureLimits
from vizion3d_ros.ros.messages.compressed import as_image
from vizion3d_ros.ros.messages.incoming import image_to_array

pytestmark = pytest.mark.ros

HEIGHT, WIDTH = 8, 12
LIMITS = PictureLimits(max_pixels=1000, max_bytes=5000)
NOISE = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
PICTURES = [
    cv2.imencode(ending, pixels)[1].tobytes()
    for ending, pixels in (
        ('.jpg', NOISE),
        ('.jpg', NOISE[..., 0]),
        ('.png', NOISE),
        ('.png', NOISE[..., 0].astype(np.uint16) << 4),
        ('.tiff', NOISE.astype(np.float32)),
    )
]
FORMATS = [
    *('jpeg', 'png', 'bgr8; jpeg compressed bgr8', 'mono16; png compressed ', 'h264', ''),
    *('bayer_grbg16; png compressed ', 'rgb8; png compressed rgb8', '16UC1; compressedDepth png'),
]


def spoiled(data, cut, changes):
    """The first bytes of a picture, some of which are others."""
    data = bytearray(data[: len(data) - cut])
    for place, byte in changes.items():
        if place < len(data):
            data[place] = byte
    return bytes(data)


changes = st.dictionaries(st.integers(0, 400), st.integers(0, 255), max_size=3)
pictures = st.sampled_from(PICTURES)
whole = pictures.map(bytes)
broken = st.builds(spoiled, pictures, st.integers(0, 60), changes)
claims = st.builds(png_that_claims, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
formats = st.sampled_from(FORMATS) | st.text(max_size=30)


@both_ways
@given(whole | broken | claims | st.binary(max_size=200), formats)
def test_a_compressed_image_is_decoded_or_refused(data, format_):
    message = CompressedImage(format=format_, data=array('B', data))
    # Whatever size is claimed, room is made for what the limits allow.
    with at_most(4_000_000):
        try:
            pixels = image_to_array(as_image(message, LIMITS))
        except InputError as error:
            return refused(error)
    assert pixels.dtype == np.uint8
    assert pixels.shape[0] * pixels.shape[1] <= LIMITS.max_pixels
    accepted()
