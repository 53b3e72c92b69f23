# SPDX-License-Identifier: Apache-2.0
"""Clouds in files to objects in files."""

import json

import cv2
import numpy as np
import pytest

from vizion3d_ros.files.ply import encode_vertices
from vizion3d_ros.files.ply_reader import read_ply

HEIGHT, WIDTH = 40, 60
CAMERA = ('--fx', '50', '--cx', '29.5', '--cy', '19.5')
V, U = np.mgrid[:HEIGHT, :WIDTH]
OBJECT = (abs(U - 30) < 10) & (abs(V - 20) < 8)
DEPTH = np.where(OBJECT, 1.0, 3.0)
XYZ = np.stack([(U - 29.5) / 50 * DEPTH, -(V - 19.5) / 50 * DEPTH, -DEPTH], -1).reshape(-1, 3)
RGB = np.full(XYZ.shape, 90, np.uint8)


@pytest.fixture
def files(call, tmp_path):
    """A cloud, its image and a label image, in the folder of the call."""
    (tmp_path / 'cloud.ply').write_bytes(encode_vertices(XYZ, RGB))
    cv2.imwrite(str(tmp_path / 'image.png'), RGB.reshape(HEIGHT, WIDTH, 3))
    cv2.imwrite(str(tmp_path / 'masks.png'), OBJECT.astype(np.uint8) * 5)
    return tmp_path


def test_masks_in_a_file_become_a_labelled_cloud(call, files):
    done = call('annotate', 'cloud.ply', 'image.png', '--masks', 'masks.png', *CAMERA)
    assert done.code == 0, done.err
    out = files / 'out'
    [item] = json.loads((out / 'annotations.json').read_text())
    assert (item['label'], item['points'], item['bbox_2d']) == (
        '5',
        OBJECT.sum(),
        [21, 13, 40, 28],
    )
    assert item['centroid_m'][2] == -1
    labels = np.load(out / 'labels.npy')
    np.testing.assert_array_equal(labels.reshape(HEIGHT, WIDTH) == 1, OBJECT)
    cloud = read_ply(out / 'annotated.ply', 'annotated')
    np.testing.assert_array_equal((cloud.rgb != RGB).any(1), labels == 1)
    picture = cv2.imread(str(out / 'masks.png'))
    np.testing.assert_array_equal((picture != 90).any(2), OBJECT)
    record = json.loads((out / 'result.json').read_text())
    assert record['labelled'] == OBJECT.sum() and record['backend_used'] == 'masks'


def test_axes_of_the_optical_frame_are_told_and_taken(call, files):
    (files / 'cloud.ply').write_bytes(encode_vertices(XYZ * [1, -1, -1], RGB))
    words = ('annotate', 'cloud.ply', '--masks', 'masks.png', *CAMERA)
    refused = call(*words)
    assert refused.code == 1
    assert '--frame optical' in refused.err[-1]
    assert call(*words, '--frame', 'optical').code == 0
    (files / 'cloud.ply').write_bytes(encode_vertices(XYZ, RGB))
    refused = call(*words, '--frame', 'optical')
    assert refused.code == 1
    assert 'leave --frame optical out' in refused.err[-1]


@pytest.mark.parametrize('frame', ['opengl', 'optical'])
def test_a_cloud_without_a_finite_point_has_no_objects(call, files, frame):
    (files / 'cloud.ply').write_bytes(encode_vertices(XYZ * np.nan, RGB))
    words = ('annotate', 'cloud.ply', '--masks', 'masks.png', *CAMERA, '--frame', frame)
    assert call(*words).code == 0
    [item] = json.loads((files / 'out' / 'annotations.json').read_text())
    assert item['points'] == 0


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('image.png',), 'expected a PLY file'),
        (('none.ply',), 'cannot be read'),
        (('cloud.ply', 'cloud.ply', '--masks', 'masks.png'), 'image_input: cloud.ply: expected'),
        (('cloud.ply', '--masks', 'cloud.ply'), 'expected a label image'),
        (('cloud.ply', '--masks', 'none.png'), 'none.png: cannot be read'),
        (('cloud.ply', '--model', 'yolo26l-seg.pt'), 'yolo26l-seg.pt is for ultralytics'),
    ],
)
def test_what_cannot_be_used_is_one_sentence(call, files, words, said, monkeypatch):
    monkeypatch.setattr('vizion3d_ros.engine.segmenters.choice.find_spec', lambda name: None)
    refused = call('annotate', *words)
    assert refused.code == 1
    assert len(refused.err) == 1 and said in refused.err[0]
