# SPDX-License-Identifier: Apache-2.0
"""The running mono node, end to end: what a metric and a relative checkpoint give, and to whom."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import values_of
from known_depth_node import METRIC_CHECKPOINT, NEAREST_M, SCALE, SHIFT
from mono_robot import (
    DEPTH_M,
    GREY,
    KNOWN_NODE,
    METRIC,
    METRIC_OUTPUTS,
    MONO_OUTPUTS,
    RELATIVE,
    SPARSE,
    depth_error,
)
from scene import FOCAL_PX, FRAME_ID, HEIGHT, WIDTH, info_message, pixels_of
from sensor_msgs.msg import CameraInfo, PointCloud2

pytestmark = pytest.mark.ros

RELATIVE_TOPICS = set(MONO_OUTPUTS) - set(METRIC_OUTPUTS)


@pytest.fixture(scope='module')
def nodes(start_node):
    return {
        '/metric': start_node('/metric', METRIC, program=KNOWN_NODE),
        '/relative': start_node('/relative', RELATIVE, program=KNOWN_NODE),
    }


@pytest.fixture
def metric(meet):
    return meet('/metric')[1]


@pytest.fixture
def relative(meet):
    return meet('/relative')[1]


def test_a_metric_checkpoint_gives_metres_with_the_header_of_the_image(metric, nodes):
    heard = metric.listen_to(MONO_OUTPUTS)
    answer = metric.ask_all({topic: heard[topic] for topic in METRIC_OUTPUTS})

    assert {m.header.frame_id for m in answer.values()} == {FRAME_ID}
    depth = answer['depth/image']
    assert (depth.encoding, depth.width, depth.height) == ('32FC1', WIDTH, HEIGHT)
    assert depth_error(pixels_of(depth)) < 1e-5
    info = info_message()
    info.header = depth.header
    assert answer['depth/camera_info'] == info
    colours = pixels_of(answer['depth/image_color']).astype(int).sum(axis=2)
    assert colours.shape == (HEIGHT, WIDTH)
    assert colours[DEPTH_M < 1.1].min() > colours[DEPTH_M > 15].max(), 'near is bright'
    assert not any(heard[topic] for topic in RELATIVE_TOPICS)
    status = metric.status('scale', lambda s, _: s.message != 'no image yet')
    assert (status.level, status.message) == (DiagnosticStatus.OK, 'metric checkpoint')
    assert not nodes['/metric'].lines('[WARN]')


def test_points_lie_on_the_rays_of_their_pixels(metric):
    cloud = metric.ask(metric.listen('points2', PointCloud2))

    assert (cloud.height, cloud.width) == (HEIGHT, WIDTH)
    table = np.frombuffer(cloud.data, np.float32).reshape(HEIGHT, WIDTH, 4)
    x, y, z = np.moveaxis(table[..., :3], 2, 0)
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    np.testing.assert_allclose(z, DEPTH_M, 1e-5)
    np.testing.assert_allclose(x, (columns - (WIDTH - 1) / 2) * z / FOCAL_PX, 1e-4, 1e-5)
    np.testing.assert_allclose(y, (rows - (HEIGHT - 1) / 2) * z / FOCAL_PX, 1e-4, 1e-5)
    packed = np.ascontiguousarray(table[..., 3]).view(np.uint32)
    np.testing.assert_array_equal(packed, GREY.astype(np.uint32) * 0x010101)


def test_a_relative_checkpoint_gives_inverse_depth_and_nothing_metric(relative, nodes):
    heard = relative.listen_to(MONO_OUTPUTS)
    for _ in range(3):
        answer = relative.ask_all({topic: heard[topic] for topic in RELATIVE_TOPICS})
        heard_then = {topic for topic, messages in heard.items() if messages}
        assert heard_then == RELATIVE_TOPICS
        for messages in heard.values():
            messages.clear()

    image = answer['relative_depth/image']
    assert (image.encoding, image.header.frame_id) == ('32FC1', FRAME_ID)
    np.testing.assert_allclose(pixels_of(image) * SCALE + SHIFT, 1 / DEPTH_M, 1e-5)
    colours = pixels_of(answer['relative_depth/image_color']).astype(int).sum(axis=2)
    assert colours[DEPTH_M < 1.1].min() > colours[DEPTH_M > 15].max(), 'near is bright'

    status = relative.status('scale', lambda s, _: s.message != 'no image yet')
    assert status.level == DiagnosticStatus.WARN
    (line,) = nodes['/relative'].lines('[WARN]')
    for words in ('relative checkpoint', 'metric-hypersim', 'sparse_depth/points'):
        assert words in line and words in status.message
    published = values_of(relative.status('output'))
    assert not any(published[f'published {topic}'] for topic in METRIC_OUTPUTS)


def test_depth_outside_the_limits_is_no_measurement(metric):
    depths = metric.listen('depth/image')
    with metric.parameters(min_depth=2.0, max_depth=10.0):
        depth_m = pixels_of(metric.ask(depths))
    np.testing.assert_array_equal(np.isfinite(depth_m), (DEPTH_M >= 2) & (DEPTH_M <= 10))


def test_16uc1_depth_is_in_millimetres_with_0_for_nothing(metric):
    depths = metric.listen('depth/image')
    with metric.parameters(depth__encoding='16UC1', max_depth=10.0):
        message = metric.ask(depths)
    assert (message.encoding, message.step) == ('16UC1', 2 * WIDTH)
    expected = np.where(DEPTH_M <= 10, np.round(1000 * DEPTH_M), 0)
    assert np.abs(pixels_of(message) - expected).max() <= 1
    assert pixels_of(message).max() > 9000 and (pixels_of(message) == 0).any()


@pytest.mark.parametrize(
    ('encoding', 'padding', 'tolerance'),
    [('rgb8', 7, 1e-5), ('mono16', 0, 1e-5), ('mono8', 13, 1e-5), ('bayer_rggb8', 0, 0.2)],
)
def test_the_same_scene_in_other_encodings_gives_the_same_depth(
    metric, encoding, padding, tolerance
):
    depths = metric.listen('depth/image')

    def send():
        return metric.send_image(encoding=encoding, padding=padding)

    assert depth_error(pixels_of(metric.ask(depths, send))) < tolerance


def test_cloud_parameters_take_effect_with_the_next_frame(metric):
    clouds = metric.listen('points2', PointCloud2)
    with metric.parameters(points__decimation=4, points__organized=False, points__max_range=3.0):
        cloud = metric.ask(clouds)
    z = np.frombuffer(cloud.data, np.float32).reshape(-1, 4)[:, 2]
    assert (cloud.height, cloud.is_dense) == (1, True)
    assert cloud.width == (DEPTH_M[::4, ::4] < 3).sum()
    assert NEAREST_M <= z.min() <= z.max() < 3


def test_a_frame_id_override_goes_to_all_outputs(metric):
    heard = metric.listen_to(METRIC_OUTPUTS)
    with metric.parameters(frame_id_override='somewhere_else'):
        for messages in heard.values():
            assert metric.ask(messages).header.frame_id == 'somewhere_else'


@pytest.mark.parametrize('namespace', ['/metric', '/relative'])
def test_inputs_open_and_close_with_the_listeners(meet, namespace):
    _, robot = meet(namespace)
    robot.status('input', lambda s, _: s.message == 'idle: no subscribers')
    assert robot.input_readers() == [0]
    topic = 'depth/image' if namespace == '/metric' else 'relative_depth/image'

    def sparse_readers():
        return {robot.node.count_subscribers(f'{namespace}/{name}') for name, _ in SPARSE.values()}

    for _ in range(2):
        heard = robot.listen(topic)
        robot.wait_for_readers(1, 2.0)
        robot.ask(heard)
        robot.wait_for(lambda: sparse_readers() == {1}, 2.0, 'sparse depth is listened to')
        robot.ignore(heard)
        robot.wait_for_readers(0, 2.0)
        robot.wait_for(lambda: sparse_readers() == {0}, 2.0, 'sparse depth is left alone')


def test_only_outputs_with_listeners_are_made(metric):
    def published():
        values = values_of(metric.status('output'))
        return {k: v for k, v in values.items() if k.startswith('published ')}

    before = published()
    infos = metric.listen('depth/camera_info', CameraInfo)
    metric.ask(infos)
    after = metric.status('output', lambda _, v: v['published depth/camera_info'] > 0)
    changed = {k for k, v in values_of(after).items() if k in before and v != before[k]}
    assert changed == {'published depth/camera_info'}


def test_diagnostics_of_a_working_node_are_all_ok_and_count(metric):
    metric.ask(metric.listen('depth/image'))
    arrays = metric.listen('/diagnostics', DiagnosticArray)

    def newest():
        statuses = [s for array in arrays for s in array.status if s.name.startswith('/metric/')]
        tasks = {s.name.partition(': ')[2]: s for s in statuses}
        return tasks if 'input' in tasks and tasks['input'].message == 'receiving' else None

    tasks = metric.wait_for(newest, what='diagnostics', every=metric.send)
    assert tasks.keys() >= {'input', 'calibration', 'scale', 'output', 'pictures'}
    assert not {n: s.message for n, s in tasks.items() if s.level != DiagnosticStatus.OK}
    values = values_of(tasks['output'])
    assert values['processed'] > 0 and values['rate_hz'] > 0
    assert values['failed'] == 0
    assert METRIC_CHECKPOINT in tasks['backend'].message
    assert 'Apache-2.0' in values_of(tasks['backend'])['licence']
    stages = ('decode', 'estimate', 'geometry', 'publish', 'total')
    assert set(values) >= {f'{stage}_ms p{percent}' for stage in stages for percent in (50, 95)}
