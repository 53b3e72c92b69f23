# SPDX-License-Identifier: Apache-2.0
"""Folders with stereo pairs: layouts that are understood, and faults that name the file."""

import cv2
import numpy as np
import pytest

from vizion3d_ros.contracts.errors import CalibrationError, InputError
from vizion3d_ros.files.pair import find_pairs, load_pair

HEIGHT, WIDTH = 6, 10
CALIB = (
    'cam0=[20 0 4; 0 20 3; 0 0 1]\ncam1=[20 0 6; 0 20 3; 0 0 1]\n'
    f'doffs=2\nbaseline=100\nwidth={WIDTH}\nheight={HEIGHT}\nndisp=8\n'
)
LEFT = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
RIGHT = LEFT[:, ::-1].copy()


@pytest.fixture
def folder(tmp_path):
    save(tmp_path, 'left.png', LEFT)
    save(tmp_path, 'right.png', RIGHT)
    return tmp_path


def save(folder, name, rgb):
    folder.mkdir(exist_ok=True)
    assert cv2.imwrite(str(folder / name), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def test_images_come_as_rgb_with_their_calibration(folder):
    (folder / 'calib.txt').write_text(CALIB)
    pair = load_pair(folder)
    np.testing.assert_array_equal(pair.left, LEFT)
    np.testing.assert_array_equal(pair.right, RIGHT)
    assert pair.rig.baseline_m == pytest.approx(0.1)
    assert pair.rig.doffs == 2
    assert pair.calibration.ndisp == 8
    assert pair.disparity is None


def test_without_calibration_only_disparity_is_possible(folder):
    rig = load_pair(folder).rig
    assert rig.baseline_m is None
    assert (rig.left.width, rig.left.height) == (WIDTH, HEIGHT)
    assert rig.left.fx == pytest.approx(WIDTH / 2 / np.tan(np.radians(30)))


def test_grey_images_stay_grey(tmp_path):
    for name in ('im0.png', 'im1.png'):
        cv2.imwrite(str(tmp_path / name), LEFT[..., 0])
    pair = load_pair(tmp_path)
    np.testing.assert_array_equal(pair.left, LEFT[..., 0])


def test_ground_truth_comes_from_an_archive_with_unknown_as_nan(folder):
    truth = np.full((HEIGHT, WIDTH), 3.5)
    truth[0, 0], truth[1, 1] = np.inf, np.nan
    np.savez_compressed(folder / 'disparity.npz', disparity=truth)
    disparity = load_pair(folder).disparity
    assert disparity.dtype == np.float32
    assert np.isnan(disparity[0, 0]) and np.isnan(disparity[1, 1])
    assert disparity[2, 2] == 3.5


@pytest.mark.parametrize('order', ['<', '>'])
def test_ground_truth_comes_from_a_float_map(folder, order):
    truth = np.arange(HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    truth[0, 0] = np.inf
    header = f'Pf\n{WIDTH} {HEIGHT}\n{"-1.0" if order == "<" else "1.0"}\n'
    data = truth[::-1].astype(f'{order}f4').tobytes()
    (folder / 'disp0.pfm').write_bytes(header.encode() + data)
    disparity = load_pair(folder).disparity
    assert np.isnan(disparity[0, 0])
    np.testing.assert_array_equal(disparity[1:], truth[1:])


def test_a_folder_of_pairs_is_played_in_the_order_of_names(tmp_path):
    for name in ('b', 'a', 'c'):
        save(tmp_path / name, 'im0.png', LEFT)
        save(tmp_path / name, 'im1.png', RIGHT)
    (tmp_path / 'empty').mkdir()
    assert [path.name for path in find_pairs(tmp_path)] == ['a', 'b', 'c']
    assert find_pairs(tmp_path / 'b') == [tmp_path / 'b']


def test_no_pair_is_an_error_that_says_what_is_wanted_and_what_is_there(tmp_path):
    (tmp_path / 'notes.md').write_text('x')
    with pytest.raises(InputError, match=r'left\.png and right\.png.*notes\.md'):
        find_pairs(tmp_path)
    with pytest.raises(InputError, match=r'nowhere: no such folder.*left\.png'):
        find_pairs(tmp_path / 'nowhere')


def test_a_broken_image_is_named(folder):
    (folder / 'right.png').write_bytes(b'not a png')
    with pytest.raises(InputError, match=r'right\.png: expected an image'):
        load_pair(folder)


def test_an_empty_image_is_named(folder):
    (folder / 'left.png').write_bytes(b'')
    with pytest.raises(InputError, match=r'left\.png: expected an image'):
        load_pair(folder)


def test_images_of_different_sizes_are_refused(folder):
    save(folder, 'right.png', RIGHT[:, :8])
    with pytest.raises(InputError, match=r'right\.png.*10x6.*8x6'):
        load_pair(folder)


def test_a_calibration_of_another_size_is_refused(folder):
    (folder / 'calib.txt').write_text(CALIB.replace(f'width={WIDTH}', 'width=20'))
    with pytest.raises(CalibrationError, match=r'calib\.txt: is for images of 20x6.*10x6'):
        load_pair(folder)


@pytest.mark.parametrize('content', [b'', b'junk', b'PK\x03\x04junk'])
def test_a_broken_archive_is_named(folder, content):
    (folder / 'disparity.npz').write_bytes(content)
    with pytest.raises(InputError, match=r'disparity\.npz: expected an array named disparity'):
        load_pair(folder)


@pytest.mark.parametrize('arrays', [{'other': np.ones((6, 10))}, {'disparity': np.ones(60)}])
def test_an_archive_with_something_else_is_named(folder, arrays):
    np.savez(folder / 'disparity.npz', **arrays)
    with pytest.raises(InputError, match=r'disparity\.npz: expected an array named disparity'):
        load_pair(folder)


@pytest.mark.parametrize(
    'content', [b'', b'Pf\n10 6\n-1\nshort', b'PF\n10 6\n-1\n' + bytes(720), b'Pf\nten 6\n-1\n']
)
def test_a_broken_float_map_is_named(folder, content):
    (folder / 'disp0.pfm').write_bytes(content)
    with pytest.raises(InputError, match=r'disp0\.pfm: expected a grey PFM'):
        load_pair(folder)


def test_ground_truth_of_another_size_is_refused(folder):
    np.savez(folder / 'disparity.npz', disparity=np.ones((3, 5)))
    with pytest.raises(InputError, match=r'size of the images, 10x6.*5x3'):
        load_pair(folder)
