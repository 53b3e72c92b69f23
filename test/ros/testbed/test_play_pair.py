# SPDX-License-Identifier: Apache-2.0
"""The player of stored pairs as a real process, heard over real middleware."""

import json

import cv2
import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from sensor_msgs.msg import Image  # noqa: E402

from vizion3d_ros.incoming.images import image_to_array  # noqa: E402

pytestmark = pytest.mark.ros

START_S = 20.0


def save_pair(folder, shade, calibration=None, disparity=None):
    folder.mkdir()
    for name, value in (('left.png', shade), ('right.png', shade + 1)):
        cv2.imwrite(str(folder / name), np.full((6, 10, 3), (value, 0, 0), np.uint8))
    if calibration:
        (folder / 'calib.txt').write_text(calibration)
    if disparity is not None:
        np.savez(folder / 'disparity.npz', disparity=disparity)


def test_stored_pairs_are_played_in_order(start_source, listen, tmp_path):
    calibration = (
        'cam0=[20 0 4; 0 20 3; 0 0 1]\ncam1=[20 0 6; 0 20 3; 0 0 1]\n'
        'doffs=2\nbaseline=100\nwidth=10\nheight=6\n'
    )
    truth = np.full((6, 10), 3.0, np.float32)
    truth[0, 0] = np.nan
    pairs = tmp_path / 'pairs'
    pairs.mkdir()
    save_pair(pairs / 'a', 10, calibration, truth)
    save_pair(pairs / 'b', 20)
    ears = listen(ground_truth__disparity=Image)
    options = {'rate': 20.0, 'loop': False, 'wait_for_subscribers': START_S}
    source = start_source('play_pair', folder=pairs, **options)
    ears.listen_until_the_end(source)
    code, out, err = source.end()
    assert code == 0
    assert json.loads(out.splitlines()[-1])['frames_sent'] == 2
    assert 'b has no calib.txt' in err and 'disparity only' in err
    left, right, _, infos, truths = (ears.heard[topic] for topic in ears.heard)
    assert [image_to_array(image)[0, 0].tolist() for image in left] == [[0, 0, 10], [0, 0, 20]]
    assert image_to_array(right[0])[0, 0].tolist() == [0, 0, 11]
    assert infos[0].p[3] == pytest.approx(-2.0) and infos[0].p[2] == pytest.approx(6.0)
    assert infos[1].p[3] == 0
    assert len(truths) == 1
    sent = np.frombuffer(truths[0].data, np.float32).reshape(6, 10)
    np.testing.assert_array_equal(sent, truth)


def test_a_pair_is_repeated_for_as_many_frames_as_asked(start_source, listen, tmp_path):
    save_pair(tmp_path / 'pair', 10)
    ears = listen()
    options = {'rate': 50.0, 'frames': 7, 'encoding': 'mono8', 'wait_for_subscribers': START_S}
    source = start_source('play_pair', folder=tmp_path / 'pair', **options)
    ears.listen_until_the_end(source)
    assert source.summary()['frames_sent'] == 7
    images = ears.heard['left/image_rect']
    assert len(images) == 7
    assert {image.encoding for image in images} == {'mono8'}


def test_a_pair_that_cannot_be_read_ends_it_with_the_file_named(start_source, tmp_path):
    save_pair(tmp_path / 'pair', 10, calibration='cam0=nonsense')
    code, _, err = start_source('play_pair', folder=tmp_path / 'pair').end()
    assert code == 1
    assert 'calib.txt: cam0 must be a matrix' in err
    assert 'Traceback' not in err
