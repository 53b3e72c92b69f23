# SPDX-License-Identifier: Apache-2.0
"""Messages field by field and byte by byte, as REP-118 and sensor_msgs want them."""

import struct

import numpy as np
import pytest
import torch
from builtin_interfaces.msg import Time
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, PointField, RegionOfInterest
from sensor_msgs_py import point_cloud2
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from vizion3d_ros.contracts.commands import Output, StereoCommand
from vizion3d_ros.contracts.results import Cloud, StereoResult
from vizion3d_ros.contracts.settings.node_settings import DepthSettings, PointsSettings
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.pipeline import StereoPipeline
from vizion3d_ros.ros.messages import outgoing
from vizion3d_ros.ros.messages.outgoing import FrameAnswer

pytestmark = pytest.mark.ros

NAN = float('nan')
DEFAULTS = StereoSettings()
HEADER = Header(stamp=Time(sec=12, nanosec=345), frame_id='left_optical')
INFO = CameraInfo(
    header=Header(stamp=Time(sec=1), frame_id='other'),
    width=160,
    height=96,
    distortion_model='plumb_bob',
    d=[0.1, 0.2, 0.0, 0.0, 0.3],
    k=[float(n) for n in range(9)],
    r=[float(n) for n in range(9)],
    p=[float(n) for n in range(12)],
    binning_x=2,
    binning_y=1,
    roi=RegionOfInterest(x_offset=3, width=50, height=40),
)
DISPARITY = [[NAN, 4.0, 8.0], [0.5, NAN, 2.0]]
BUILDERS = [
    outgoing.disparity_message,
    outgoing.depth_message,
    outgoing.depth_info_message,
    outgoing.confidence_message,
    outgoing.visibility_message,
    outgoing.disparity_color_message,
    outgoing.depth_color_message,
    outgoing.cloud_message,
]


@pytest.fixture
def answer(device, rig):
    """Make a FrameAnswer around a 2x3 result; keywords replace its parts."""

    def make(settings=DEFAULTS, **parts):
        disparity = torch.tensor(DISPARITY, device=device)
        result = {
            'rig': rig,
            'disparity': disparity,
            'confidence': disparity.nan_to_num(0) / 8,
            'visibility': torch.ones_like(disparity),
            'depth_m': 10.0 / disparity,
            'cloud': None,
            'min_disparity': 0.25,
            'max_disparity': 64.0,
            'disparity_step': 0.0625,
            'backend_used': 'known',
            'checkpoint': '',
        }
        if isinstance(parts.get('depth_m'), list):
            parts['depth_m'] = torch.tensor(parts['depth_m'], device=device)
        return FrameAnswer(StereoResult(**{**result, **parts}), HEADER, INFO, settings)

    return make


def floats(image):
    return np.frombuffer(image.data, np.float32).reshape(image.height, image.width)


def bgr(image):
    assert (image.encoding, image.step) == ('bgr8', 3 * image.width)
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)


def test_disparity_image_fields(answer):
    message = outgoing.disparity_message(answer())
    assert message.header == message.image.header == HEADER
    assert (message.image.encoding, message.image.step) == ('32FC1', 12)
    assert (message.f, message.t) == (100.0, pytest.approx(0.1))
    assert (message.min_disparity, message.max_disparity) == (0.25, 64.0)
    assert message.delta_d == 0.0625 > 0
    assert message.valid_window == RegionOfInterest(width=3, height=2)
    np.testing.assert_array_equal(floats(message.image), [[0, 4, 8], [0.5, 0, 2]])
    assert message.min_disparity > 0.0


def test_f_times_t_over_disparity_is_the_depth(answer):
    given = answer()
    message = outgoing.disparity_message(given)
    pixels = floats(message.image)
    valid = pixels >= message.min_disparity
    depth = message.f * message.t / pixels[valid]
    np.testing.assert_allclose(depth, floats(outgoing.depth_message(given))[valid], 1e-6)


def test_disparity_without_a_baseline_has_t_zero(answer, rig):
    blind = answer(rig=rig.model_copy(update={'baseline_m': None}), depth_m=None)
    assert outgoing.disparity_message(blind).t == 0.0
    for build in (outgoing.depth_message, outgoing.depth_color_message):
        assert build(blind) is None
    assert outgoing.cloud_message(blind) is None


def test_depth_in_metres_keeps_nan(answer):
    message = outgoing.depth_message(answer())
    assert (message.encoding, message.step, message.header) == ('32FC1', 12, HEADER)
    expected = np.float32(10.0) / np.float32(DISPARITY)
    np.testing.assert_array_equal(floats(message), expected)


MILLIMETRES = {
    0.0: 0,
    0.0004: 0,
    0.0006: 1,
    1.2344: 1234,
    1.2346: 1235,
    32.767: 32767,
    32.768: 32768,
    65.534: 65534,
    65.535: 65535,
    65.536: 0,
    65.6: 0,
    131.072: 0,
    1e6: 0,
    float('inf'): 0,
    NAN: 0,
}


def test_depth_in_millimetres_rounds_and_never_wraps(answer):
    settings = StereoSettings(depth=DepthSettings(encoding='16UC1'))
    message = outgoing.depth_message(answer(settings, depth_m=[list(MILLIMETRES)]))
    assert (message.encoding, message.step) == ('16UC1', 2 * len(MILLIMETRES))
    assert message.is_bigendian == 0
    assert np.frombuffer(message.data, '<u2').tolist() == list(MILLIMETRES.values())


def test_depth_camera_info_is_the_left_one_without_its_lens(answer):
    info = outgoing.depth_info_message(answer())
    assert info.header == HEADER
    for name in ('width', 'height', 'distortion_model', 'p', 'binning_x', 'binning_y', 'roi'):
        np.testing.assert_array_equal(getattr(info, name), getattr(INFO, name))
    assert not any(info.d) and info.k.tolist() == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    assert INFO.header.frame_id == 'other', 'the cached message must not change'


def test_confidence_and_visibility(answer):
    message = outgoing.confidence_message(answer())
    assert (message.encoding, message.header) == ('32FC1', HEADER)
    np.testing.assert_array_equal(floats(message), [[0, 0.5, 1], [0.0625, 0, 0.25]])
    np.testing.assert_array_equal(floats(outgoing.visibility_message(answer())), np.ones((2, 3)))


def brightness(picture):
    return picture.astype(int).sum(-1)


def test_depth_picture_invalid_black_near_bright(answer):
    settings = StereoSettings(min_depth=1.0, max_depth=16.0)
    depth = [[NAN, 1.0, 2.0, 4.0, 8.0, 16.0, 0.1, 100.0]]
    message = outgoing.depth_color_message(answer(settings, depth_m=depth))
    assert message.header == HEADER
    picture = bgr(message)[0]
    assert picture[0].tolist() == [0, 0, 0]
    assert (np.diff(brightness(picture[1:6])) < 0).all()
    assert picture[6].tolist() == picture[1].tolist()
    assert picture[7].tolist() == picture[5].tolist()
    assert brightness(picture[5]) > 0


def test_disparity_picture_invalid_black_large_bright(answer):
    picture = bgr(outgoing.disparity_color_message(answer(max_disparity=8.0)))
    np.testing.assert_array_equal(brightness(picture) == 0, np.isnan(DISPARITY))
    assert brightness(picture[0, 2]) > brightness(picture[0, 1]) > brightness(picture[1, 0])


def test_disparity_picture_of_a_range_without_width_does_not_crash(answer):
    picture = bgr(outgoing.disparity_color_message(answer(max_disparity=0.25)))
    assert picture[0, 0].tolist() == [0, 0, 0]


POINTS = [[1.5, -2.25, 3.0], [NAN, NAN, NAN], [0.1, 0.2, 0.3], [-4.0, 5.0, 6.5]]
COLORS = [0x00FF8001, 0x00000000, 0x00000102, 0x007F7F7F]


def packed(device, points=POINTS, colors=COLORS):
    table = np.zeros((len(points), 4), np.float32)
    table[:, :3] = np.reshape(points, (-1, 3))
    table[:, 3] = np.array(colors, np.uint32).view(np.float32)
    return torch.from_numpy(table).to(device)


def expect_layout(message):
    assert message.header == HEADER
    assert [(f.name, f.offset, f.datatype, f.count) for f in message.fields] == [
        ('x', 0, PointField.FLOAT32, 1),
        ('y', 4, PointField.FLOAT32, 1),
        ('z', 8, PointField.FLOAT32, 1),
        ('rgb', 12, PointField.FLOAT32, 1),
    ]
    assert message.point_step == 16
    assert message.row_step == 16 * message.width
    assert len(message.data) == message.row_step * message.height
    assert message.is_bigendian is False


def test_an_organised_cloud_byte_by_byte(answer, device):
    cloud = Cloud(packed(device).reshape(2, 2, 4))
    message = outgoing.cloud_message(answer(cloud=cloud))
    expect_layout(message)
    assert (message.height, message.width, message.is_dense) == (2, 2, False)
    for index, (point, color) in enumerate(zip(POINTS, COLORS)):
        start = 16 * index
        assert bytes(message.data[start : start + 12]) == struct.pack('<3f', *point)
        blue, green, red, unused = message.data[start + 12 : start + 16]
        assert (red << 16 | green << 8 | blue, unused) == (color, 0)


def test_a_filtered_cloud_is_one_dense_row(answer, device):
    message = outgoing.cloud_message(answer(cloud=Cloud(packed(device)[[0, 2, 3]])))
    expect_layout(message)
    assert (message.height, message.width, message.is_dense) == (1, 3, True)
    assert struct.unpack_from('<3f', message.data, 16) == pytest.approx(POINTS[2])


def test_a_filtered_cloud_may_be_empty(answer, device):
    empty = Cloud(packed(device)[:0])
    message = outgoing.cloud_message(answer(cloud=empty))
    expect_layout(message)
    assert (message.height, message.width, message.is_dense) == (1, 0, True)


@pytest.mark.parametrize('shape', [(2, 2, 4), (4, 4)])
def test_the_layout_of_pcl_is_padded_to_32_bytes(shape, answer, device):
    points = PointsSettings(layout='pcl')
    cloud = Cloud(packed(device).reshape(shape))
    message = outgoing.cloud_message(answer(StereoSettings(points=points), cloud=cloud))
    offsets = {field.name: field.offset for field in message.fields}
    assert offsets == {'x': 0, 'y': 4, 'z': 8, 'rgb': 16}  # of pcl::PointXYZRGB
    assert (message.point_step, message.row_step) == (32, 32 * message.width)
    for index, (point, color) in enumerate(zip(POINTS, COLORS)):
        one = bytes(message.data[32 * index : 32 * (index + 1)])
        assert one == struct.pack('<3f4xI12x', *point, color)
    read = point_cloud2.read_points(message)
    assert np.ascontiguousarray(read['rgb']).view(np.uint32).ravel().tolist() == list(COLORS)
    np.testing.assert_array_equal(read['z'].ravel(), np.float32(POINTS)[:, 2])


@pytest.mark.parametrize('organized', [True, False])
def test_sensor_msgs_py_reads_the_same_points(organized, answer, device):
    points = packed(device).reshape(2, 2, 4) if organized else packed(device)[[0, 2, 3]]
    message = outgoing.cloud_message(answer(cloud=Cloud(points)))
    read = point_cloud2.read_points(message, skip_nans=True)
    assert read.dtype.names == ('x', 'y', 'z', 'rgb')
    kept = [point for point in POINTS if point[0] == point[0]]
    np.testing.assert_array_equal(
        np.stack([read['x'], read['y'], read['z']], -1), np.float32(kept)
    )
    colors = np.ascontiguousarray(read['rgb']).view(np.uint32)
    assert colors.tolist() == [COLORS[0], *COLORS[2:]]


@pytest.mark.parametrize('organized', [True, False])
def test_a_result_of_the_pipeline_becomes_every_message_and_survives_the_wire(
    organized, device, rig, stereo_pair, serve_disparity
):
    serve_disparity(np.where(stereo_pair.disparity > 10, np.nan, stereo_pair.disparity))
    settings = StereoSettings(points=PointsSettings(organized=organized))
    command = StereoCommand(
        left=stereo_pair.left,
        right=stereo_pair.right,
        rig=rig,
        settings=settings,
        outputs=frozenset(Output),
    )
    given = FrameAnswer(StereoPipeline(device).run(command), HEADER, INFO, settings)
    for build in BUILDERS:
        message = build(given)
        assert message.header == HEADER
        again = deserialize_message(serialize_message(message), type(message))
        if isinstance(again, DisparityImage):
            again, message = again.image, message.image
        if not isinstance(again, CameraInfo):
            assert again.data == message.data
            assert (again.height, again.width) == (message.height, message.width)
