# SPDX-License-Identifier: Apache-2.0
"""
The behaviour that we rely on of message_filters, cv_bridge and sensor_msgs_py.

Holds for the packages of a ROS distribution and for the stand-ins in standalone/packages alike: it
tests whichever is installed.
"""

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')
message_filters = pytest.importorskip('message_filters')
cv_bridge = pytest.importorskip('cv_bridge')
point_cloud2 = pytest.importorskip('sensor_msgs_py.point_cloud2')

from rclpy.time import Time  # noqa: E402
from sensor_msgs.msg import Image, PointCloud2, PointField  # noqa: E402
from std_msgs.msg import Header, String  # noqa: E402

MS = 1_000_000  # nanoseconds

# --- message_filters -------------------------------------------------------------------------


def stamped(stamp_ns):
    return Header(stamp=Time(nanoseconds=stamp_ns).to_msg())


def image_at(stamp_ns):
    return Image(header=stamped(stamp_ns))


def stamp_of(message):
    return Time.from_msg(message.header.stamp).nanoseconds


class Pairs:
    """Two inputs into a synchroniser, and the stamps [ns] of the pairs that came out."""

    def __init__(self, synchroniser, *args, **kwargs):
        self.left, self.right = message_filters.SimpleFilter(), message_filters.SimpleFilter()
        self.sync = synchroniser([self.left, self.right], *args, **kwargs)
        self.sync.registerCallback(self._store)
        self.seen = []

    def _store(self, *messages):
        self.seen.append(tuple(stamp_of(m) for m in messages))

    def feed(self, left=(), right=()):
        for stamp in left:
            self.left.signalMessage(image_at(stamp))
        for stamp in right:
            self.right.signalMessage(image_at(stamp))
        return self.seen


def test_callback_gets_messages_then_its_own_arguments():
    source, seen = message_filters.SimpleFilter(), []
    source.registerCallback(lambda *args: seen.append(args), 'extra', 7)
    source.signalMessage('a', 'b')
    assert seen == [('a', 'b', 'extra', 7)]


def test_callbacks_run_in_the_order_of_registration():
    source, seen = message_filters.SimpleFilter(), []
    source.registerCallback(lambda _: seen.append('first'))
    source.registerCallback(lambda _: seen.append('second'))
    source.signalMessage('message')
    assert seen == ['first', 'second']


def test_exact_pairs_equal_stamps_only():
    assert Pairs(message_filters.TimeSynchronizer, 10).feed([1, 2, 3], [2, 3, 4]) == [
        (2, 2),
        (3, 3),
    ]


def test_exact_forgets_the_oldest_beyond_the_queue_size():
    pairs = Pairs(message_filters.TimeSynchronizer, 2)
    assert pairs.feed(left=[1, 2, 3], right=[1]) == []
    assert sorted(pairs.sync.queues[0]) == [2, 3]


def test_a_pair_leaves_the_queues():
    pairs = Pairs(message_filters.TimeSynchronizer, 10)
    pairs.feed(left=[1, 2], right=[1])
    assert [list(q) for q in pairs.sync.queues] == [[2], []]


@pytest.mark.parametrize(('offset_ms', 'paired'), [(0, True), (4, True), (5, False), (6, False)])
def test_approximate_compares_strictly_with_slop(offset_ms, paired):
    pairs = Pairs(message_filters.ApproximateTimeSynchronizer, 10, 0.005)
    assert bool(pairs.feed(left=[100 * MS], right=[(100 + offset_ms) * MS])) is paired


def test_approximate_with_slop_zero_pairs_nothing():
    pairs = Pairs(message_filters.ApproximateTimeSynchronizer, 10, 0.0)
    assert pairs.feed(left=[100], right=[100]) == []


def test_approximate_takes_the_closest():
    pairs = Pairs(message_filters.ApproximateTimeSynchronizer, 10, 0.050)
    assert pairs.feed(left=[100 * MS, 120 * MS], right=[118 * MS]) == [(120 * MS, 118 * MS)]


def test_approximate_drops_a_message_without_a_header():
    pairs = Pairs(message_filters.ApproximateTimeSynchronizer, 10, 0.050)
    pairs.left.signalMessage(String())
    assert len(pairs.sync.queues[0]) == 0


def test_reconnecting_starts_with_empty_queues():
    pairs = Pairs(message_filters.TimeSynchronizer, 10)
    pairs.feed(left=[1])
    pairs.sync.connectInput([message_filters.SimpleFilter(), message_filters.SimpleFilter()])
    assert [len(q) for q in pairs.sync.queues] == [0, 0]


def test_lock_is_held_during_the_callback_and_free_afterwards():
    pairs, held = Pairs(message_filters.TimeSynchronizer, 10), []
    pairs.sync.registerCallback(lambda *_: held.append(pairs.sync.lock.locked()))
    pairs.feed(left=[1], right=[1])
    assert held == [True]
    assert not pairs.sync.lock.locked()


class RecordingNode:
    """Takes the place of a node in `Subscriber`."""

    def create_subscription(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs
        return self


def test_subscriber_passes_its_arguments_on_and_signals():
    node, seen = RecordingNode(), []
    subscriber = message_filters.Subscriber(node, Image, 'left/image', qos_profile=3)
    subscriber.registerCallback(seen.append)
    node.args[2]('message')
    assert node.args[:2] == (Image, 'left/image')
    assert node.kwargs == {'qos_profile': 3}
    assert (seen, subscriber.getTopic()) == (['message'], 'left/image')


# --- cv_bridge -------------------------------------------------------------------------------


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
    header = stamped(12)
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


# --- sensor_msgs_py --------------------------------------------------------------------------

POINTS = np.array([[1, 2, 3], [4, np.nan, 6], [7, 8, 9], [10, 11, 12]], np.float32)


def test_xyz32_cloud_has_the_documented_layout():
    cloud = point_cloud2.create_cloud_xyz32(Header(frame_id='camera'), POINTS)
    assert isinstance(cloud, PointCloud2)
    assert [(f.name, f.offset, f.datatype, f.count) for f in cloud.fields] == [
        (name, 4 * i, PointField.FLOAT32, 1) for i, name in enumerate('xyz')
    ]
    assert (cloud.height, cloud.width, cloud.point_step, cloud.row_step) == (1, 4, 12, 48)
    assert (cloud.is_dense, cloud.is_bigendian, cloud.header.frame_id) == (False, False, 'camera')
    assert bytes(cloud.data) == POINTS.tobytes()


def test_points_come_back_by_name():
    cloud = point_cloud2.create_cloud_xyz32(Header(), POINTS)
    points = point_cloud2.read_points(cloud, field_names=['z', 'x'])
    assert set(points.dtype.names) == {'x', 'z'}
    np.testing.assert_array_equal(points['z'], POINTS[:, 2])


def test_nan_is_skipped_on_request():
    cloud = point_cloud2.create_cloud_xyz32(Header(), POINTS)
    finite = point_cloud2.read_points_numpy(cloud, skip_nans=True)
    np.testing.assert_array_equal(finite, POINTS[[0, 2, 3]])


def test_points_are_picked_by_index():
    cloud = point_cloud2.create_cloud_xyz32(Header(), POINTS)
    picked = point_cloud2.read_points_numpy(cloud, uvs=[3, 0])
    np.testing.assert_array_equal(picked, POINTS[[3, 0]])


def test_point_step_may_leave_room():
    cloud = point_cloud2.create_cloud_xyz32(Header(), POINTS)
    wide = point_cloud2.create_cloud(Header(), cloud.fields, POINTS, point_step=16)
    assert (wide.point_step, len(wide.data)) == (16, 64)
    np.testing.assert_array_equal(point_cloud2.read_points_numpy(wide), POINTS)


def test_fields_of_several_types_come_from_rows():
    fields = [
        PointField(name='x', offset=0, datatype=PointField.FLOAT32, count=1),
        PointField(name='ring', offset=4, datatype=PointField.UINT16, count=1),
    ]
    cloud = point_cloud2.create_cloud(Header(), fields, [(0.5, 3), (1.5, 4)])
    assert point_cloud2.read_points(cloud).tolist() == [(0.5, 3), (1.5, 4)]


def test_two_dimensions_make_an_organised_cloud_first_axis_width():
    cloud = point_cloud2.create_cloud_xyz32(Header(), POINTS.reshape(2, 2, 3)[:1])
    assert (cloud.width, cloud.height) == (1, 2)
