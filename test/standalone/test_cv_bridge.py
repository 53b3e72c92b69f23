# SPDX-License-Identifier: Apache-2.0
"""
The behaviour that we rely on of cv_bridge, whichever is installed.

Holds for the package of a ROS distribution and for the stand-in in standalone/packages alike.
"""

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
cv_bridge = pytest.importorskip('cv_bridge')

from sensor_msgs.msg import Image  # noqa: E402
from std_msgs.msg import Header  # noqa: E402


@pytest.fixture
def bridge():
    return cv_bridge.CvBridge()


def image_message(pixels, encoding, padding=0, big=False):
    """Return a message with `padding` bytes of rubbish behind each row of `pixels`."""
    order = pixels.dtype.newbyteorder('>' if big else '<')
    rows = pixels.astype(order).reshape(len(pixels), -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xEE)
    message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding)
    message.step = rows.shape[1]
    message.is_bigendian = big
    message.data.frombytes(rows.tobytes())
    return message


def noise(*shape, dtype=np.uint8):
    random = np.random.default_rng(5)
    if np.issubdtype(dtype, np.floating):
        return random.random(shape).astype(dtype)
    return random.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


LAYOUTS = [
    ('mono8', np.uint8, ()),
    ('8UC1', np.uint8, ()),
    ('mono16', np.uint16, ()),
    ('16UC1', np.uint16, ()),
    ('32FC1', np.float32, ()),
    ('rgb8', np.uint8, (3,)),
    ('bgr8', np.uint8, (3,)),
    ('8UC3', np.uint8, (3,)),
    ('rgba8', np.uint8, (4,)),
    ('bgra8', np.uint8, (4,)),
    ('yuv422', np.uint8, (2,)),
    ('yuv422_yuy2', np.uint8, (2,)),
    *((f'bayer_{pattern}8', np.uint8, ()) for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')),
    *((f'bayer_{pattern}16', np.uint16, ()) for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')),
]


@pytest.mark.parametrize(('encoding', 'dtype', 'channels'), LAYOUTS)
def test_every_encoding_goes_there_and_back(bridge, encoding, dtype, channels):
    pixels = noise(4, 6, *channels, dtype=dtype)
    header = Header(frame_id='camera')
    message = bridge.cv2_to_imgmsg(pixels, encoding, header)
    assert (message.height, message.width, message.encoding) == (4, 6, encoding)
    assert message.step == pixels[0].nbytes
    assert message.header == header
    np.testing.assert_array_equal(bridge.imgmsg_to_cv2(message), pixels)


# step has to stay a multiple of a pixel's bytes
@pytest.mark.parametrize(
    ('encoding', 'dtype', 'channels', 'padding'),
    [('mono8', np.uint8, (), 5), ('rgb8', np.uint8, (3,), 6), ('16UC1', np.uint16, (), 4)],
)
def test_padding_of_rows_is_left_out(bridge, encoding, dtype, channels, padding):
    pixels = noise(4, 6, *channels, dtype=dtype)
    message = image_message(pixels, encoding, padding=padding)
    np.testing.assert_array_equal(bridge.imgmsg_to_cv2(message), pixels)


def test_big_endian_comes_out_native(bridge):
    if np.lib.NumpyVersion(np.__version__) >= '2.0.0' and 'standalone' not in cv_bridge.__file__:
        pytest.skip('older cv_bridge swaps bytes with a NumPy call that NumPy 2 dropped')
    pixels = noise(4, 6, dtype=np.uint16)
    result = bridge.imgmsg_to_cv2(image_message(pixels, 'mono16', big=True))
    np.testing.assert_array_equal(result, pixels)


def test_passthrough_names_the_type(bridge):
    assert bridge.cv2_to_imgmsg(noise(4, 6, 3)).encoding == '8UC3'
    assert bridge.cv2_to_imgmsg(noise(4, 6, dtype=np.float32)).encoding == '32FC1'


def test_a_wrong_name_is_refused(bridge):
    with pytest.raises(cv_bridge.CvBridgeError, match='incompatible type'):
        bridge.cv2_to_imgmsg(noise(4, 6), 'rgb8')


def test_an_unknown_encoding_is_refused(bridge):
    with pytest.raises(cv_bridge.CvBridgeError):
        bridge.imgmsg_to_cv2(image_message(noise(4, 6), 'no_such_encoding'))


@pytest.mark.parametrize('source', ['32FC1', '16UC1'])
def test_what_is_no_colour_does_not_become_one(bridge, source):
    pixels = noise(4, 6, dtype=np.float32 if source == '32FC1' else np.uint16)
    with pytest.raises(cv_bridge.CvBridgeError):
        bridge.imgmsg_to_cv2(image_message(pixels, source), 'bgr8')


def test_channels_are_reordered(bridge):
    pixels = noise(4, 6, 3)
    reordered = bridge.imgmsg_to_cv2(image_message(pixels, 'rgb8'), 'bgr8')
    np.testing.assert_array_equal(reordered, pixels[..., ::-1])


def test_alpha_is_dropped(bridge):
    pixels = noise(4, 6, 4)
    reordered = bridge.imgmsg_to_cv2(image_message(pixels, 'bgra8'), 'rgb8')
    np.testing.assert_array_equal(reordered, pixels[..., 2::-1])


def test_mono_is_replicated(bridge):
    pixels = noise(4, 6)
    replicated = bridge.imgmsg_to_cv2(image_message(pixels, 'mono8'), 'rgb8')
    np.testing.assert_array_equal(replicated, np.repeat(pixels[..., None], 3, 2))


def test_colour_becomes_luma(bridge):
    pixels = np.full((4, 6, 3), (200, 50, 10), np.uint8)
    luma = bridge.imgmsg_to_cv2(image_message(pixels, 'rgb8'), 'mono8')
    assert np.abs(luma - (0.299 * 200 + 0.587 * 50 + 0.114 * 10)).max() <= 1


def test_depth_of_16_bit_is_scaled_to_the_full_range(bridge):
    pixels = np.array([[0, 257, 32896, 65535]], np.uint16)
    scaled = bridge.imgmsg_to_cv2(image_message(pixels, 'mono16'), 'mono8')
    np.testing.assert_array_equal(scaled, [[0, 1, 128, 255]])


def test_depth_of_8_bit_is_scaled_to_the_full_range(bridge):
    pixels = np.array([[0, 1, 128, 255]], np.uint8)
    scaled = bridge.imgmsg_to_cv2(image_message(pixels, 'mono8'), 'mono16')
    np.testing.assert_array_equal(scaled, [[0, 257, 32896, 65535]])


# where the red, the green and the blue sites of each pattern lie within its 2 x 2 cell
BAYER = {
    'rggb': ((0, 0), (1, 1)),
    'bggr': ((1, 1), (0, 0)),
    'gbrg': ((1, 0), (0, 1)),
    'grbg': ((0, 1), (1, 0)),
}


@pytest.mark.parametrize('pattern', BAYER)
@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_bayer_colours_end_in_their_channels(bridge, pattern, dtype):
    red, blue = BAYER[pattern]
    mosaic = np.full((8, 8), 60, dtype)
    mosaic[red[0] :: 2, red[1] :: 2] = 200
    mosaic[blue[0] :: 2, blue[1] :: 2] = 10
    bits = np.iinfo(dtype).bits
    colour = bridge.imgmsg_to_cv2(image_message(mosaic, f'bayer_{pattern}{bits}'), f'rgb{bits}')
    np.testing.assert_array_equal(colour[4, 4], (200, 60, 10))


@pytest.mark.parametrize(('encoding', 'luma'), [('yuv422', 1), ('yuv422_yuy2', 0)])
def test_yuv422_luma_is_taken_from_its_place(bridge, encoding, luma):
    pixels = np.full((2, 4, 2), 128, np.uint8)  # colourless
    pixels[..., luma] = [[16, 126, 235, 16], [50, 100, 150, 200]]
    message = image_message(pixels, encoding)
    np.testing.assert_array_equal(bridge.imgmsg_to_cv2(message, 'mono8'), pixels[..., luma])
    colour = bridge.imgmsg_to_cv2(message, 'bgr8')
    assert colour.shape == (2, 4, 3)
    assert np.abs(colour[0, :3].astype(int) - [[0], [128], [255]]).max() <= 1
