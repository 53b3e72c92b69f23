# SPDX-License-Identifier: Apache-2.0
"""`~/run_stereo_depth`: the numbers of topics and Python API, in the words of the contract."""

import math
import time

import cv2
import numpy as np
import pytest
from encoded import png
from scene import info_message, pixels_of, to_ns
from sensor_msgs.msg import Image, PointCloud2
from service_calls import assert_same_points, cloud, rgb_message, stereo_request, values, ways_of
from stereo_msgs.msg import DisparityImage

from vizion3d_interfaces.srv import RunStereoDepth
from vizion3d_ros.stereo import StereoDepth, StereoDepthAdvancedConfig, StereoDepthCommand

pytestmark = pytest.mark.ros

WIDTH, HEIGHT, FOCAL_PX = 160, 96, 100.0
# The camera of info_message; 0.1 m apart, so that Z = 10 / disparity.
CONFIG = {
    'focal_length': FOCAL_PX,
    'cx': (WIDTH - 1) / 2,
    'cy': (HEIGHT - 1) / 2,
    'baseline': 100.0,
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('images')


@pytest.fixture(scope='module')
def nodes(start_node, folder):
    parameters = {'requests.allowed_input_dirs': f'[{folder}]', 'device': 'cpu'}
    return {'': start_node(parameters=parameters)}


@pytest.fixture
def pair(make_pair):
    """A wall at 1.25 m and a square before it at 0.625 m, in colour."""
    return make_pair(WIDTH, HEIGHT, background=8, foreground=16)


@pytest.fixture
def ask(robot, pair):
    """Call it to get the response to the pair, or another request; it must be a good one."""

    def call(left=None, right=None, config=CONFIG, **fields):
        images = left or png(pair.left), right or png(pair.right)
        request = stereo_request(*images, config, **fields)
        response = robot.call(RunStereoDepth, 'run_stereo_depth', request)
        assert response.success, response.message
        return response

    return call


@pytest.fixture
def api(pair):
    """Call it to get what the Python API says of the pair."""

    def run(config=CONFIG, **fields):
        return StereoDepth('cpu').run(
            StereoDepthCommand(
                left_image=pair.left,
                right_image=pair.right,
                model_backend='opencv-sgbm',
                advanced_config=StereoDepthAdvancedConfig(**config),
                **fields,
            )
        )

    return run


@pytest.fixture
def hear(robot, pair):
    """Call it to get the messages of topics, given as name=type, for the pair."""
    tx = -FOCAL_PX * CONFIG['baseline'] / 1000

    def send():
        stamp_ns = robot.now_ns()
        for side, pixels in (('left', pair.left), ('right', pair.right)):
            info = info_message(tx if side == 'right' else 0.0, WIDTH, HEIGHT, FOCAL_PX)
            robot.publisher(f'{side}/camera_info').publish(info)
            robot.publisher(f'{side}/image_rect').publish(rgb_message(pixels, stamp_ns, 'optical'))
        return stamp_ns

    def listen(**topics):
        heard = {
            name: robot.listen(name.replace('__', '/'), kind) for name, kind in topics.items()
        }
        return {name: robot.ask(messages, send) for name, messages in heard.items()}

    return listen


# --- one pair, every door --------------------------------------------------------------------


def test_topics_service_and_python_api_give_the_same_numbers(ask, api, hear, pair, folder):
    truth = api()
    left, right = ways_of(pair.left, folder, 'left'), ways_of(pair.right, folder, 'right')
    heard = hear(depth__image=Image, disparity=DisparityImage)
    on_topics = pixels_of(heard['depth__image'])
    assert np.isnan(on_topics).any() and np.isfinite(on_topics).mean() > 0.5
    np.testing.assert_array_equal(np.nan_to_num(on_topics), truth.raw_depth)
    disparity = np.asarray(truth.disparity_map, np.float32)
    np.testing.assert_array_equal(values(heard['disparity'].image), disparity)
    for way in ('bytes', 'message', 'path'):
        response = ask(left[way], right[way])
        np.testing.assert_array_equal(values(response.depth_map), truth.raw_depth, way)
        np.testing.assert_array_equal(values(response.disparity_map), disparity, way)
        assert (response.min_depth, response.max_depth) == (truth.min_depth, truth.max_depth)
        assert response.backend_used == truth.backend_used == 'opencv-sgbm'


def test_grey_messages_and_grey_files_are_one(ask, pair):
    grey = [cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) for pixels in (pair.left, pair.right)]
    encoded = ask(*map(png, grey))
    messages = [rgb_message(pixels) for pixels in (pair.left, pair.right)]
    for message, pixels in zip(messages, grey):
        message.encoding, message.step, message.data = 'mono8', WIDTH, pixels.tobytes()
    np.testing.assert_array_equal(values(ask(*messages).depth_map), values(encoded.depth_map))


def test_two_lists_of_bytes_and_nothing_else_are_answered_by_the_defaults(robot, pair):
    """What `ros2 service call` sends; of a size that is not that of the topics."""
    left, right = pair.left[:-8], pair.right[:-8]
    request = RunStereoDepth.Request()
    request.left_image_bytes = list(png(left))
    request.right_image_bytes = list(png(right))
    response = robot.call(RunStereoDepth, 'run_stereo_depth', request)
    assert response.success, response.message
    for words in ('focal_length 1000 px', 'baseline 100 mm'):
        assert words in response.message
    bare = StereoDepthCommand(left_image=left, right_image=right, model_backend='opencv-sgbm')
    wanted = StereoDepth('cpu').run(bare).raw_depth
    np.testing.assert_array_equal(values(response.depth_map), wanted)
    assert response.depth_image.width == WIDTH


def test_a_calibration_that_is_left_out_is_that_of_the_topics_if_it_fits(robot, ask, hear, pair):
    hear(depth__image=Image)
    told = ask(return_point_cloud=True)
    left_out = ask(config={}, return_point_cloud=True)
    assert (told.message, left_out.message) == ('', '')
    np.testing.assert_array_equal(values(left_out.depth_map), values(told.depth_map))
    assert left_out.point_cloud.data == told.point_cloud.data
    other = ask(png(pair.left[:-8]), png(pair.right[:-8]), config={})
    assert f'is for {WIDTH}x{HEIGHT}, and the image has 160x88' in other.message


def test_an_answer_without_depth_says_why(ask, pair):
    swapped = ask(png(pair.right), png(pair.left))
    assert not values(swapped.depth_map).any()
    assert 'have a disparity' in swapped.message or 'swapped' in swapped.message
    assert ask(png(pair.left // 200)).message.startswith('left image is dark')


def test_nan_everywhere_is_the_same_as_nothing(ask):
    fields = RunStereoDepth.Request().advanced_config.get_fields_and_field_types()
    default, nan = ask(config={}), ask(config=dict.fromkeys(fields, math.nan))
    np.testing.assert_array_equal(values(nan.depth_map), values(default.depth_map))


def test_numbers_are_not_rounded_to_single_precision_on_the_way(ask, api):
    config = {**CONFIG, 'focal_length': 117.6899759, 'baseline': 129.3363724}
    rounded = {name: float(np.float32(value)) for name, value in config.items()}
    truth = api(config).raw_depth
    assert (truth != api(rounded).raw_depth).any(), 'these numbers would not tell'
    np.testing.assert_array_equal(values(ask(config=config).depth_map), truth)


# --- the contract ----------------------------------------------------------------------------


def test_depth_is_true_and_0_where_there_is_none(ask, pair):
    response = ask()
    depth, disparity = values(response.depth_map), values(response.disparity_map)
    measured = depth > 0
    assert (depth >= 0).all() and np.isfinite(depth).all()
    np.testing.assert_array_equal(measured, disparity > 0)
    assert measured.mean() > 0.5 and not measured.all()
    np.testing.assert_allclose(depth[measured], 10 / disparity[measured], rtol=1e-6)
    error = np.abs(depth * pair.disparity / 10 - 1)[measured]
    assert np.median(error) < 0.01
    assert response.min_depth == depth[measured].min() < response.max_depth == depth.max()


def test_doffs_counts_in_depth_and_not_in_disparity(ask):
    plain, verged = ask(), ask(config={**CONFIG, 'doffs': 5.0, 'min_depth_mm': 400.0})
    depth, disparity = values(verged.depth_map), values(verged.disparity_map)
    measured = depth > 0
    np.testing.assert_allclose(depth[measured], 10 / (disparity[measured] + 5), rtol=1e-5)
    assert np.median(disparity[measured]) == pytest.approx(
        np.median(values(plain.disparity_map)[values(plain.depth_map) > 0]), abs=0.2
    )


def test_the_picture_is_white_at_the_nearest_and_black_at_the_farthest_and_at_nothing(ask):
    response = ask()
    depth, picture = values(response.depth_map), values(response.depth_image)
    low, high = response.min_depth, response.max_depth
    truth = np.where(depth > 0, 65535 * (1 - (depth - low) / (high - low)), 0)
    assert np.abs(picture - truth).max() <= 1
    assert (picture.min(), picture.max()) == (0, 65535)
    assert response.depth_image.encoding == 'mono16'


@pytest.mark.parametrize(
    'config',
    [
        {'conf_threshold': 0.0, 'occ_threshold': 0.0},
        {'conf_threshold': 0.0, 'occ_threshold': 0.5},
        {'conf_threshold': 0.9, 'occ_threshold': 0.0},
        {'conf_threshold': 0.0, 'occ_threshold': 0.0, 'z_far': 1.0},
    ],
    ids=['all', 'visible', 'certain', 'near'],
)
def test_points_are_those_that_are_near_certain_and_visible(ask, hear, pair, config):
    config = {'z_far': 50.0, **CONFIG, **config}
    heard = hear(confidence__image=Image, visibility__image=Image)
    confidence, visibility = (pixels_of(message) for message in heard.values())
    response = ask(config=config, return_point_cloud=True)
    depth = values(response.depth_map)
    kept = (depth > 0) & (depth < config['z_far'])
    kept &= (confidence >= config['conf_threshold']) & (visibility >= config['occ_threshold'])
    assert 0 < kept.sum() < kept.size
    xyz, rgb = cloud(response.point_cloud)
    np.testing.assert_array_equal(xyz[:, 2], depth[kept])
    np.testing.assert_array_equal(rgb, pair.left[kept])
    rows, columns = np.nonzero(kept)
    pixel = xyz[:, :2] * FOCAL_PX / xyz[:, 2:] + [CONFIG['cx'], CONFIG['cy']]
    np.testing.assert_allclose(pixel, np.stack([columns, rows], 1), atol=1e-3)


def test_each_filter_takes_points_away_here(ask):
    """Else the test above would not tell one from the other."""
    loose = {'conf_threshold': 0.0, 'occ_threshold': 0.0}
    counts = [
        ask(config={**CONFIG, **loose, **own}, return_point_cloud=True).point_cloud.width
        for own in ({}, {'occ_threshold': 0.5}, {'conf_threshold': 0.9}, {'z_far': 1.0})
    ]
    assert len(set(counts)) == 4 and counts[0] == max(counts)


def test_the_ply_file_is_the_cloud_in_the_axes_of_opengl(ask):
    assert_same_points(ask(return_point_cloud=True))


def test_what_was_not_asked_for_is_empty(ask):
    response = ask(return_depth_image=False, omit_maps=True)
    assert response.depth_image == response.depth_map == response.disparity_map == Image()
    assert response.point_cloud == PointCloud2()
    assert len(response.point_cloud_ply) == 0


# --- headers and parameters ------------------------------------------------------------------


def test_the_header_is_that_of_the_left_image_message(ask, pair):
    left, right = rgb_message(pair.left, 12_000_000_345, 'left'), rgb_message(pair.right, 7, 'r')
    response = ask(left, right, return_point_cloud=True)
    for message in (
        response.depth_map,
        response.disparity_map,
        response.depth_image,
        response.point_cloud,
    ):
        assert message.header == left.header


def test_bytes_get_the_time_of_the_answer_and_the_frame_of_the_operator(ask, robot):
    before = time.time_ns()
    with robot.parameters(frame_id_override='head'):
        header = ask().depth_map.header
    assert before <= to_ns(header.stamp) <= time.time_ns()
    assert header.frame_id == 'head'
    assert ask().depth_map.header.frame_id == ''


def test_limits_can_be_changed_while_the_node_runs(robot, ask, pair, folder):
    path = ways_of(pair.left, folder, 'left')['path']
    ask(path, path)
    for changes, told in [
        ({'requests__max_pixels': 1024}, 'left_image: .*1024 pixels'),
        ({'requests__max_bytes': 1024}, 'left_image: .*1024 bytes'),
        ({'requests__allowed_input_dirs': ['']}, 'left_image_path: '),
    ]:
        with robot.parameters(**changes), pytest.raises(AssertionError, match=told):
            ask(path, path)
    allowed = robot.parameters(requests__allowed_models=['/nowhere.pth'])
    with allowed, pytest.raises(AssertionError, match=r"one of '/nowhere.pth'"):
        ask(model_backend='s2m2-S')
    ask(path, path)
