# SPDX-License-Identifier: Apache-2.0
"""The running node, end to end: what comes out of a wall two metres away."""

import numpy as np
import pytest
from scene import (
    BASELINE_M,
    DEPTH_M,
    DISPARITY_PX,
    FOCAL_PX,
    FRAME_ID,
    HEIGHT,
    OUTPUTS,
    WIDTH,
    info_message,
    median_error,
    pixels_of,
)
from sensor_msgs.msg import PointCloud2

pytestmark = pytest.mark.ros


@pytest.fixture(scope='module')
def nodes(start_node):
    return {name: start_node(name) for name in ('', '/front', '/rear')}


def points_of(cloud):
    """x, y, z of an unpadded cloud, (height, width, 3)."""
    table = np.frombuffer(cloud.data, np.float32)
    return table.reshape(cloud.height, cloud.width, cloud.point_step // 4)[..., :3]


def test_all_outputs_of_a_pair_are_metric_and_carry_its_header(robot):
    answer = robot.ask_all(robot.listen_to(OUTPUTS))

    assert {m.header.frame_id for m in answer.values()} == {FRAME_ID}
    depth = answer['depth/image']
    assert (depth.encoding, depth.width, depth.height) == ('32FC1', WIDTH, HEIGHT)
    assert median_error(pixels_of(depth), DEPTH_M) < 0.01
    assert median_error(points_of(answer['points2'])[..., 2], DEPTH_M) < 0.01
    disparity = answer['disparity']
    assert (disparity.f, disparity.t) == pytest.approx((FOCAL_PX, BASELINE_M))
    assert disparity.image.header == disparity.header
    values = pixels_of(disparity.image)
    valid = values >= disparity.min_disparity
    assert median_error(np.where(valid, values, np.nan), DISPARITY_PX) < 0.01
    assert np.array_equal(valid, np.isfinite(pixels_of(depth)))
    info = info_message()
    info.header = depth.header
    assert answer['depth/camera_info'] == info
    for picture in ('disparity/image_color', 'depth/image_color'):
        assert pixels_of(answer[picture]).shape == (HEIGHT, WIDTH, 3)
        assert pixels_of(answer[picture]).any()
    for score in ('confidence/image', 'visibility/image'):
        values = pixels_of(answer[score])
        assert 0 <= values.min() <= values.max() <= 1
        assert np.median(values) > 0.5


def test_points_lie_on_the_rays_of_their_pixels(robot):
    cloud = robot.ask(robot.listen('points2', PointCloud2))

    x, y, z = np.moveaxis(points_of(cloud), 2, 0)
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    seen = np.isfinite(z)
    assert seen.mean() > 0.5
    assert np.allclose(x[seen], ((columns - (WIDTH - 1) / 2) * z / FOCAL_PX)[seen], atol=1e-4)
    assert np.allclose(y[seen], ((rows - (HEIGHT - 1) / 2) * z / FOCAL_PX)[seen], atol=1e-4)


def test_the_same_scene_in_other_encodings_gives_the_same_depth(robot):
    depths = robot.listen('depth/image')

    def depth_from(left, right):
        return pixels_of(robot.ask(depths, lambda: robot.send_pair(left, right)))

    mono8 = {'encoding': 'mono8'}
    reference = depth_from(mono8, mono8)
    assert median_error(reference, DEPTH_M) < 0.01
    for left, right in (
        ({'encoding': 'mono16'}, {'encoding': 'mono16'}),
        ({'padding': 13}, {'padding': 64}),
        ({'encoding': 'rgb8', 'padding': 5}, {'encoding': 'rgb8'}),
        ({'encoding': 'rgb8'}, mono8),
        (mono8, {'encoding': 'rgb8'}),
    ):
        other = depth_from(left, right)
        assert np.array_equal(other, reference, equal_nan=True), (left, right)


def test_bayer_images_give_depth(robot):
    bayer = {'encoding': 'bayer_rggb8'}
    depth = robot.ask(robot.listen('depth/image'), lambda: robot.send_pair(bayer, bayer))

    assert median_error(pixels_of(depth), DEPTH_M) < 0.01


def test_16uc1_depth_is_in_millimetres_with_0_for_nothing(robot):
    depths = robot.listen('depth/image')
    with robot.parameters(depth__encoding='16UC1'):
        message = robot.ask(depths)

    assert (message.encoding, message.step) == ('16UC1', 2 * WIDTH)
    millimetres = pixels_of(message).astype(float)
    assert (millimetres == 0).any()  # the left edge is not in the right view
    millimetres[millimetres == 0] = np.nan
    assert median_error(millimetres, 1000 * DEPTH_M) < 0.01


def test_a_frame_id_override_goes_to_all_outputs(robot):
    heard = robot.listen_to(OUTPUTS)
    with robot.parameters(frame_id_override='somewhere_else'):
        for messages in heard.values():
            assert robot.ask(messages).header.frame_id == 'somewhere_else'


def test_two_nodes_in_two_namespaces_do_not_mix(nodes, make_robot):
    front, rear = make_robot('/front'), make_robot('/rear')
    front_depths, rear_depths = front.listen('depth/image'), rear.listen('depth/image')
    front.ask(front_depths)
    answer = rear.ask(rear_depths, lambda: rear.send_pair({'frame_id': 'rear'}))
    assert answer.header.frame_id == 'rear'
    assert {m.header.frame_id for m in front_depths} == {FRAME_ID}
    assert {m.header.frame_id for m in rear_depths} == {'rear'}
    assert median_error(pixels_of(front_depths[-1]), DEPTH_M) < 0.01
    assert median_error(pixels_of(answer), DEPTH_M) < 0.01
