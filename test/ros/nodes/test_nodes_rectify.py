# SPDX-License-Identifier: Apache-2.0
"""Raw images of lenses that bend: `rectify` makes both nodes see what image_proc would show."""

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from mono_robot import DEPTH_M as MONO_DEPTH_M
from mono_robot import GREY, KNOWN_NODE, METRIC
from scene import DEPTH_M, HEIGHT, TX, WIDTH, image_message, info_message, pixels_of, textured_pair

pytestmark = pytest.mark.ros

LENSES = {
    'plumb_bob': [-0.28, 0.09, 0.001, -0.002, 0.0],
    'rational_polynomial': [0.3, -0.1, 0.001, 0.0005, 0.0, 0.55, -0.05, 0.0],
    'equidistant': [0.02, -0.01, 0.004, 0.0],
}
RAW_FOCAL_PX = 170.0  # sees more than what is left after rectification


@pytest.fixture(scope='module')
def nodes(start_node):
    remaps = ['-r', 'image_rect:=image_raw']
    sides = [f'{side}/image_rect:={side}/image_raw' for side in ('left', 'right')]
    both = [word for remap in sides for word in ('-r', remap)]
    return {
        '/mono': start_node('/mono', METRIC, remaps, program=KNOWN_NODE),
        '/stereo': start_node('/stereo', {}, both),
    }


def raw_camera(model, degrees=0.0, tx=0.0):
    """CameraInfo of a camera that is turned about its optical axis before rectification."""
    info = info_message(tx)
    info.distortion_model, info.d = model, LENSES[model]
    turn, _ = cv2.Rodrigues(np.radians([0.0, 0.0, degrees]))
    info.r = turn.ravel().tolist()
    k = info.k
    k[0] = k[4] = RAW_FOCAL_PX
    return info


def as_seen_by(info, rectified):
    """The raw image in which this camera sees a rectified one."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    places = np.stack([columns, rows], axis=-1).reshape(-1, 1, 2)
    k, d = np.reshape(info.k, (3, 3)), np.array(info.d)
    r, p = np.reshape(info.r, (3, 3)), np.reshape(info.p, (3, 4))[:, :3]
    undo = cv2.fisheye if info.distortion_model == 'equidistant' else cv2
    rectified_places = undo.undistortPoints(places, k, d, R=r, P=p).reshape(HEIGHT, WIDTH, 2)
    return cv2.remap(rectified, rectified_places.astype(np.float32), None, cv2.INTER_CUBIC)


def middle(image):
    """Without the border, which not every lens can see."""
    return image[20:-20, 20:-20]


@pytest.mark.parametrize('model', LENSES)
def test_the_mono_node_undoes_each_lens(meet, model):
    _, robot = meet('/mono')
    depths = robot.listen('depth/image')
    info = raw_camera(model, degrees=3.0)
    raw = as_seen_by(info, GREY)

    def send():
        robot.send_info(info)
        stamp_ns = robot.now_ns()
        robot.publisher('image_raw').publish(image_message(raw, stamp_ns))
        return stamp_ns

    def error():
        depths.clear()
        depth_m = pixels_of(robot.ask(depths, send))
        return float(np.median(np.abs(middle(depth_m) / middle(MONO_DEPTH_M) - 1)))

    assert error() > 0.1, 'the lens must matter'
    status = robot.status('calibration', every=send)
    assert status.level == DiagnosticStatus.WARN
    assert '/mono/image_raw may be distorted' in status.message and 'rectify' in status.message
    with robot.parameters(rectify=True):
        assert error() < 0.01
        assert robot.status('calibration', every=send).level == DiagnosticStatus.OK


@pytest.mark.parametrize('model', LENSES)
def test_the_stereo_node_undoes_both_lenses_and_turns_the_cameras_straight(meet, model):
    _, robot = meet('/stereo')
    depths = robot.listen('depth/image')
    infos = {'left': raw_camera(model, 4.0), 'right': raw_camera(model, -5.0, TX)}
    raw = {side: as_seen_by(infos[side], grey) for side, grey in zip(infos, textured_pair())}

    def send():
        robot.send_infos(**infos)
        stamp_ns = robot.now_ns()
        for side, grey in raw.items():
            robot.publisher(f'{side}/image_raw').publish(image_message(grey, stamp_ns))
        return stamp_ns

    def right_share():
        depths.clear()
        depth_m = middle(pixels_of(robot.ask(depths, send)))
        return float(np.mean(np.abs(depth_m / DEPTH_M - 1) < 0.05))  # NaN is not right

    assert right_share() < 0.3, 'the lenses must matter'
    with robot.parameters(rectify=True):
        assert right_share() > 0.8
        assert robot.status('calibration', every=send).level == DiagnosticStatus.OK
