# SPDX-License-Identifier: Apache-2.0
"""`~/save_snapshot`: the next frame as files, asked for when nobody else listens."""

import json
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from encoded import png, read_ply
from harness import SCENE, values_of
from mono_robot import GREY, KNOWN_NODE, RELATIVE, MonoRobot, measured
from scene import (
    DEPTH_M,
    DISPARITY_PX,
    FOCAL_PX,
    FRAME_ID,
    TX,
    info_message,
    pixels_of,
    to_ns,
)
from service_calls import mono_request

from vizion3d_interfaces.srv import RunDepthEstimation, SaveSnapshot

pytestmark = pytest.mark.ros

ANSWER_SECONDS = 6.0
CAMERA = {
    'image_width': 320,
    'image_height': 240,
    'camera_matrix': {'rows': 3, 'cols': 3},
    'distortion_coefficients': {'rows': 1, 'cols': 5},
    'rectification_matrix': {'rows': 3, 'cols': 3},
    'projection_matrix': {'rows': 3, 'cols': 4},
}


@pytest.fixture(scope='module')
def shelf(tmp_path_factory):
    """Folders `first` and `second`, which the nodes may write to, and `closed`."""
    shelf = tmp_path_factory.mktemp('shelf')
    (shelf / 'closed').mkdir()
    (shelf / 'second').mkdir()
    (shelf / 'second' / 'way_out').symlink_to(shelf / 'closed')
    return shelf


@pytest.fixture(scope='module')
def nodes(start_node, shelf):
    """Nodes that start together."""
    allowed = {'requests.snapshot_dirs': f'[{shelf}/first, {shelf}/second]'}
    return {
        '': start_node(parameters={'device': 'cpu', **allowed}),
        '/mono': start_node('/mono', {**RELATIVE, **allowed}, program=KNOWN_NODE),
    }


def ask(robot, directory='', every=None):
    """The responses to one request, or to one for each of a list of directories, at once."""
    directories = [directory] if isinstance(directory, (str, Path)) else directory
    requests = [SaveSnapshot.Request(directory=str(name)) for name in directories]
    futures = [robot.request(SaveSnapshot, 'save_snapshot', request) for request in requests]
    robot.wait_for(lambda: all(f.done() for f in futures), what='responses', every=every)
    responses = [future.result() for future in futures]
    return responses if isinstance(directory, list) else responses[0]


def files(response):
    """The files written, by what follows the stamp."""
    assert response.success, response.message
    paths = [Path(path) for path in response.paths]
    assert all(path.is_absolute() and path.is_file() for path in paths)
    stamp = paths[-1].stem
    return {path.name.removeprefix(f'{stamp}_').removeprefix(stamp): path for path in paths}


def test_a_frame_is_saved_without_a_listener_and_the_inputs_close_again(robot, shelf):
    assert not any(robot.input_readers())
    response = ask(robot, every=robot.send)
    found = files(response)
    assert list(found) == [
        *('image.png', 'depth.png', 'disparity.pfm', 'cloud.ply', 'left.yaml', 'right.yaml'),
        '.json',
    ]
    assert found['.json'].parent == shelf / 'first'
    robot.wait_for_readers(0)


def test_every_file_can_be_read_and_is_true(robot):
    found = files(ask(robot, every=robot.send))
    image = cv2.imread(str(found['image.png']), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(image, SCENE['left'])
    depth = cv2.imread(str(found['depth.png']), cv2.IMREAD_UNCHANGED)
    assert np.median(depth[depth > 0]) == pytest.approx(1000 * DEPTH_M, rel=0.01)
    disparity = cv2.imread(str(found['disparity.pfm']), cv2.IMREAD_UNCHANGED)
    assert np.nanmedian(disparity) == pytest.approx(DISPARITY_PX, abs=0.1)
    np.testing.assert_array_equal(depth > 0, np.isfinite(disparity))
    xyz, _ = read_ply(found['cloud.ply'].read_bytes())
    assert np.median(xyz[:, 2]) == pytest.approx(-DEPTH_M, rel=0.01)
    facts = json.loads(found['.json'].read_text())
    assert facts['files'] == [path.name for path in found.values()][:-1]
    assert (facts['frame_id'], 'sgbm' in facts['backend_used']) == (
        'left_camera_optical_frame',
        True,
    )


@pytest.mark.parametrize(('side', 'tx'), [('left', 0.0), ('right', TX)])
def test_calibration_is_laid_out_as_camera_drivers_read_it(robot, side, tx):
    camera = yaml.safe_load(files(ask(robot, every=robot.send))[f'{side}.yaml'].read_text())
    assert (camera['camera_name'], camera['distortion_model']) == (side, 'plumb_bob')
    for name, value in CAMERA.items():
        if isinstance(value, dict):
            shape = value['rows'], value['cols']
            assert (camera[name]['rows'], camera[name]['cols']) == shape
            assert np.reshape(camera[name]['data'], shape).dtype == np.float64
        else:
            assert camera[name] == value
    projection = np.reshape(camera['projection_matrix']['data'], (3, 4))
    assert (projection[0, 0], projection[0, 3]) == (FOCAL_PX, tx)


def test_the_picture_is_the_depth_topic_of_that_stamp_in_millimetres(robot):
    with robot.parameters(depth__encoding='16UC1'):
        depths = robot.listen('depth/image')
        robot.stream(10.0)
        found = files(ask(robot))
        stamp_ns = json.loads(found['.json'].read_text())['stamp_ns']
        topic = robot.wait_for(
            lambda: next((m for m in depths if to_ns(m.header.stamp) == stamp_ns), None),
            what='the same frame on the topic',
        )
    saved = cv2.imread(str(found['depth.png']), cv2.IMREAD_UNCHANGED)
    assert saved.dtype == np.uint16
    np.testing.assert_array_equal(saved, pixels_of(topic))


def test_several_at_once_get_one_frame_each_in_its_folder(robot, shelf):
    folders = ['', shelf / 'second' / 'a', shelf / 'second' / 'b' / 'c', shelf / 'closed']
    *good, refused = ask(robot, folders, every=robot.send)
    stamps = {Path(response.paths[-1]).stem for response in good}
    assert len(stamps) == 1
    for response, folder in zip(good, [shelf / 'first', *folders[1:]]):
        assert {path.parent for path in files(response).values()} == {folder}
    assert 'requests.snapshot_dirs' in refused.message


@pytest.mark.parametrize(
    'name', ['closed', 'second/way_out', 'second/../closed', 'second/way_out/x']
)
def test_a_folder_that_is_not_allowed_is_refused_at_once(robot, shelf, name):
    robot.wait_for_readers(0)
    began = time.monotonic()
    response = ask(robot, shelf / name)
    assert time.monotonic() - began < 2.0, 'it waited for a frame'
    assert not response.success and not response.paths
    assert response.message.startswith('directory: expected a folder in')
    assert not list((shelf / 'closed').iterdir())
    assert not any(robot.input_readers())


def test_allowed_folders_can_be_changed_while_the_node_runs(robot, shelf):
    with robot.parameters(requests__snapshot_dirs=[str(shelf / 'third')]):
        assert not ask(robot, shelf / 'first').success
        assert files(ask(robot, every=robot.send))['.json'].parent == shelf / 'third'
    with robot.parameters(requests__snapshot_dirs=['']):
        assert 'nothing is allowed' in ask(robot).message


def test_without_a_camera_the_answer_comes_in_time_and_says_why(robot):
    began = time.monotonic()
    response = ask(robot)
    assert time.monotonic() - began < ANSWER_SECONDS
    assert not response.success
    assert 'no frame came in 5' in response.message
    assert '/left/image_rect' in response.message
    robot.wait_for_readers(0)


def calibrate(robot, told, left, right):
    """Send this calibration until diagnostics show that the node has it."""
    robot.listen('confidence/image')  # else it would not listen
    robot.status(
        'calibration',
        lambda status, _: told in status.message,
        every=lambda: robot.send_infos(left, right),
    )


def test_without_a_baseline_there_is_no_depth_but_all_the_rest(robot):
    calibrate(robot, 'baseline', info_message(), info_message())
    found = files(ask(robot, every=robot.send_images))
    assert list(found) == ['image.png', 'disparity.pfm', 'left.yaml', 'right.yaml', '.json']
    assert 'depth' not in json.loads(found['.json'].read_text())


def test_without_a_calibration_that_can_be_used_the_answer_says_so(robot):
    calibrate(robot, 'uncalibrated', info_message(focal_px=0.0), info_message(focal_px=0.0))
    response = ask(robot, every=robot.send_images)
    assert not response.success
    assert 'calibration' in response.message


def test_one_camera_without_metres_has_no_depth_picture(meet, shelf):
    _, robot = meet('/mono')
    found = files(ask(robot, shelf / 'second', every=robot.send))
    assert list(found) == ['image.png', 'relative.pfm', 'camera.yaml', '.json']
    with robot.parameters(depth_anything_v2__model_backend='metric.pth'):
        found = files(ask(robot, shelf / 'second', every=robot.send))
    assert list(found) == ['image.png', 'depth.png', 'cloud.ply', 'camera.yaml', '.json']


def test_neither_a_snapshot_nor_a_request_touches_the_scale_in_force(nodes, make_robot, shelf):
    robot = make_robot('/mono', kind=MonoRobot)
    robot.meet()
    robot.listen('depth/image')

    def scale(**options):
        """The status while the scale is in force, and its figures."""
        return values_of(robot.status('scale', lambda _, v: 'scale' in v, **options))

    with robot.parameters(sparse_depth__max_age=30.0):
        points = {'points': measured(), 'frame_id': FRAME_ID}
        before = scale(every=lambda: robot.send_scan_and_image(**points))
        robot.wait_for(lambda: scale(every=robot.send)['age'] > 0.3, what='no points any more')
        assert '.json' in files(ask(robot, shelf / 'second', every=robot.send))
        request = mono_request(png(GREY))
        assert robot.call(RunDepthEstimation, 'run_depth_estimation', request).success
        after = scale(every=robot.send)
    assert after['age'] > 0.3
    same = ('scale', 'shift', 'points', 'inliers')
    assert {key: after[key] for key in same} == {key: before[key] for key in same}


def test_no_node_has_failed(nodes):
    for node in nodes.values():
        assert node.alive and 'Traceback' not in node.output
