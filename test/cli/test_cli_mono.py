# SPDX-License-Identifier: Apache-2.0
"""Single images on the command line: relative answers never pass for metres."""

import importlib
import json

import cv2
import numpy as np
import pytest
from known_answers import KnownNetwork, noise, serve_network

from vizion3d_ros import lifting
from vizion3d_ros.lifting import (
    DepthEstimation,
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)

HEIGHT, WIDTH = 48, 64
RAMP = np.linspace(1.0, 5.0, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)


@pytest.fixture
def image(tmp_path):
    path = tmp_path / 'scene.png'
    assert cv2.imwrite(str(path), noise(HEIGHT, WIDTH))
    return path


@pytest.fixture
def folder(tmp_path):
    """Images a.png, b.jpg, b.png and something else."""
    place = tmp_path / 'images'
    place.mkdir()
    for name in ('a.png', 'b.jpg', 'b.png'):
        assert cv2.imwrite(str(place / name), noise(HEIGHT, WIDTH))
    (place / 'notes.txt').write_text('not an image')
    return place


def written(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_relative_answer_holds_nothing_called_depth(call, image, tmp_path, monkeypatch):
    network = serve_network(monkeypatch, KnownNetwork(RAMP))
    outcome = call('mono', image)
    assert (outcome.code, outcome.err) == (0, [])
    assert '64x48, relative, no metres' in outcome.out[0]
    assert written(tmp_path / 'out') == [
        *('cloud.ply', 'montage.png', 'relative.npy', 'relative.png', 'result.json')
    ]
    assert network.asked[0].depth_anything_v2.model_backend == 'depth-anything-v2-base'
    values = np.load(tmp_path / 'out' / 'relative.npy')
    np.testing.assert_array_equal(values, RAMP)
    picture = cv2.imread(str(tmp_path / 'out' / 'relative.png'), cv2.IMREAD_UNCHANGED)
    assert (picture.dtype, picture.min(), picture.max()) == (np.uint16, 0, 65535)
    assert b'comment right in shape only, no metres' in (tmp_path / 'out/cloud.ply').read_bytes()
    record = json.loads((tmp_path / 'out' / 'result.json').read_text())
    assert record['answer'] == 'relative'
    assert 'no metres' in record['files']['relative.png']


def test_a_metric_answer_is_depth(call, image, tmp_path, monkeypatch):
    depth_m = RAMP.copy()
    depth_m[0] = np.nan
    serve_network(monkeypatch, KnownNetwork(depth_m, metric=True))
    outcome = call('mono', image, '--depth-trunc', 3)
    assert '64x48, metric, 1.08 to 5 m' in outcome.out[0]
    assert written(tmp_path / 'out') == [
        *('cloud.ply', 'depth.npy', 'depth.png', 'montage.png', 'result.json')
    ]
    np.testing.assert_array_equal(np.load(tmp_path / 'out' / 'depth.npy'), depth_m)
    millimetres = cv2.imread(str(tmp_path / 'out' / 'depth.png'), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(millimetres[1:], np.rint(1000 * depth_m[1:]))
    assert not millimetres[0].any()


@pytest.mark.parametrize('metric', [False, True])
def test_numbers_are_those_of_the_python_api(call, image, tmp_path, monkeypatch, metric):
    open3d = pytest.importorskip('open3d', exc_type=ImportError)
    importlib.reload(lifting)  # as a new process would have it: nothing loaded
    serve_network(monkeypatch, KnownNetwork(RAMP, metric=metric))
    call('mono', image, '--model', 'known.pth', '--fx', 50, '--cy', 20, '--depth-trunc', 4)
    command = DepthEstimationCommand(
        image_input=image,
        model_backend='known.pth',
        return_depth_image=True,
        return_point_cloud=True,
        advanced_config=DepthEstimationAdvanceConfig(fx=50, cy=20, depth_trunc=4),
    )
    expected = DepthEstimation().run(command)
    name = 'depth.npy' if metric else 'relative.npy'
    np.testing.assert_array_equal(np.load(tmp_path / 'out' / name), expected.raw_depth)
    cloud = open3d.io.read_point_cloud(str(tmp_path / 'out' / 'cloud.ply'))
    np.testing.assert_array_equal(
        np.asarray(cloud.points), np.asarray(expected.point_cloud.points)
    )
    if not metric:
        picture = cv2.imread(str(tmp_path / 'out' / 'relative.png'), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(picture, np.asarray(expected.depth_image))


def test_each_image_of_a_folder_gets_a_folder_and_none_two(call, folder, tmp_path, monkeypatch):
    serve_network(monkeypatch, KnownNetwork(RAMP))
    outcome = call('mono', folder)
    assert outcome.out[-1] == '3 done, 0 already there, 0 failed'
    assert written(tmp_path / 'out') == ['a', 'b.jpg', 'b.png']
    assert call('mono', folder).out[-1] == '0 done, 3 already there, 0 failed'
    other = call('mono', folder, '--model', 'other.pth')
    assert other.out[-1] == '3 done, 0 already there, 0 failed'


def test_a_bad_image_is_named_at_the_end(call, folder, tmp_path, monkeypatch):
    serve_network(monkeypatch, KnownNetwork(RAMP))
    (folder / 'b.jpg').write_bytes(b'no image')
    outcome = call('mono', folder)
    (line,) = outcome.err
    assert (outcome.code, outcome.out[-1]) == (1, '2 done, 0 already there, 1 failed')
    assert line.startswith('vizion3d_depth: b.jpg: image_input: ')
    assert 'got 8 bytes of something else' in line


def test_a_flat_answer_is_drawn_too(call, image, monkeypatch):
    serve_network(monkeypatch, KnownNetwork(np.zeros((HEIGHT, WIDTH))))
    assert call('mono', image).code == 0


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        (('none.png',), 'none.png: no such file'),
        (('scene.png', '--depth-trunc', 0.1), 'depth_trunc: Input should be greater than 0.5'),
        (('scene.png', '--model', 'none.pth'), "'none.pth' is neither a file nor a known model"),
        (('empty',), 'empty: expected images (.bmp, .jpeg'),
    ],
)
def test_what_cannot_be_done_is_exit_code_1_and_one_line(call, image, tmp_path, given, said):
    (tmp_path / 'empty').mkdir()
    outcome = call('mono', *given)
    (line,) = outcome.err
    assert outcome.code == 1
    assert line.startswith('vizion3d_depth') and said in line
