# SPDX-License-Identifier: Apache-2.0
import json
import os
from dataclasses import replace

import cv2
import numpy as np
import pytest
import yaml
from encoded import read_ply

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.snapshot import Snapshot, depth_png, write_snapshot

NAN = np.nan
IMAGE = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 10
DEPTH_M = np.array([[1.2344, NAN, 0.0], [65.535, 65.536, 0.0004]], np.float32)
MILLIMETRES = [[1234, 0, 0], [65535, 0, 0]]
DISPARITY = np.array([[8.25, NAN, 0.5], [1.0, 2.0, 3.0]], np.float32)
POINTS = np.array([[1, 2, 3, 0]], np.float32)
CAMERA = {'image_width': 3, 'camera_matrix': {'rows': 3, 'cols': 3, 'data': [0.1, 1e-9, 3.0]}}
FULL = Snapshot(
    name='12000000345',
    image=IMAGE,
    depth_m=DEPTH_M,
    disparity=DISPARITY,
    relative=DISPARITY[:1],
    points=POINTS,
    cameras={'left': CAMERA, 'right': CAMERA},
    facts={'stamp_ns': 12000000345, 'frame_id': 'optical'},
)


@pytest.fixture
def files(tmp_path):
    """The files of a full snapshot by what follows its name."""
    paths = write_snapshot(FULL, tmp_path / 'new' / 'folder')
    assert all(path.parent == tmp_path / 'new' / 'folder' for path in paths)
    return {path.name.removeprefix('12000000345'): path for path in paths}


def test_all_there_is_is_written_and_the_description_last(files):
    assert list(files) == [
        *('_image.png', '_depth.png', '_disparity.pfm', '_relative.pfm', '_cloud.ply'),
        *('_left.yaml', '_right.yaml', '.json'),
    ]
    facts = json.loads(files['.json'].read_text())
    assert facts['stamp_ns'] == 12000000345
    assert facts['frame_id'] == 'optical'
    assert facts['files'] == [path.name for path in files.values()][:-1]


def test_pictures_read_back(files):
    rgb = cv2.imread(str(files['_image.png']))[..., ::-1]
    np.testing.assert_array_equal(rgb, IMAGE)
    depth = cv2.imread(str(files['_depth.png']), cv2.IMREAD_UNCHANGED)
    assert depth.dtype == np.uint16
    np.testing.assert_array_equal(depth, MILLIMETRES)


def test_a_grey_image_stays_grey(tmp_path):
    path = write_snapshot(Snapshot('1', IMAGE[..., 0]), tmp_path)[0]
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), IMAGE[..., 0])


@pytest.mark.parametrize(
    ('ending', 'truth'), [('_disparity.pfm', DISPARITY), ('_relative.pfm', DISPARITY[:1])]
)
def test_maps_read_back_upright_and_with_nan(files, ending, truth):
    values = cv2.imread(str(files[ending]), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(values, truth)


def test_cloud_and_calibration_read_back(files):
    xyz, _ = read_ply(files['_cloud.ply'].read_bytes())
    np.testing.assert_array_equal(xyz, [[1, -2, -3]])
    assert yaml.safe_load(files['_left.yaml'].read_text()) == CAMERA


def test_what_is_not_there_is_not_written(tmp_path):
    paths = write_snapshot(Snapshot('1', IMAGE), tmp_path)
    assert [path.name for path in paths] == ['1_image.png', '1.json']
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_depth_is_rounded_to_even_as_on_the_topic():
    halves = np.array([[0.0005, 0.0015, 0.0025, -1.0, np.inf]], np.float32)
    pixels = cv2.imdecode(np.frombuffer(depth_png(halves), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(pixels, [[0, 2, 2, 0, 0]])


def test_the_same_frame_twice_is_one_set_of_files(tmp_path):
    assert write_snapshot(FULL, tmp_path) == write_snapshot(FULL, tmp_path)
    assert len(list(tmp_path.iterdir())) == 8


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match=r'file: cannot be written to: File exists'):
        write_snapshot(FULL, tmp_path / 'file')


@pytest.mark.skipif(os.geteuid() == 0, reason='the superuser may write everywhere')
def test_a_folder_that_is_read_only_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match=r'cannot be written to: Permission denied'):
        write_snapshot(FULL, tmp_path)


def test_a_snapshot_that_breaks_off_has_no_description(tmp_path):
    (tmp_path / '12000000345_cloud.ply').mkdir()
    with pytest.raises(InputError, match='Is a directory'):
        write_snapshot(FULL, tmp_path)
    assert not (tmp_path / '12000000345.json').exists()


def test_a_disk_that_fills_up_is_named_and_is_left_as_it_was(small_disk):
    noise = np.random.default_rng(1).random((64, 64), np.float32)  # 16 kB as a map
    with pytest.raises(InputError, match='small: cannot be written to: No space left on device'):
        write_snapshot(replace(FULL, disparity=noise), small_disk)
    assert not list(small_disk.iterdir())


def test_a_disk_without_room_for_the_description_has_none(small_disk):
    small_disk.joinpath('filler').write_bytes(bytes(8192))
    with pytest.raises(InputError, match='No space left on device'):
        write_snapshot(Snapshot('1', IMAGE, facts={'long': 'x' * 8192}), small_disk)
    assert [path.name for path in small_disk.iterdir()] == ['filler']
