# SPDX-License-Identifier: Apache-2.0
"""Stereo pairs on the command line: the numbers of the Python API, and folders of pairs."""

import json
import os
import re
import time

import cv2
import numpy as np
import pytest
from known_answers import KnownMatcher, serve_matcher

from vizion3d_ros.files.pair import load_pair
from vizion3d_ros.stereo import StereoDepth, StereoDepthAdvancedConfig, StereoDepthCommand

CALIB = """cam0=[100 0 79.5; 0 100 47.5; 0 0 1]
cam1=[100 0 81.5; 0 100 47.5; 0 0 1]
doffs=2
baseline=100.1
width=160
height=96
"""
NUMBERS = ('--fx', 100, '--cx', 79.5, '--cy', 47.5, '--baseline-mm', 100.1, '--doffs', 2)
CONFIG = {'focal_length': 100.0, 'cx': 79.5, 'cy': 47.5, 'baseline': 100.1, 'doffs': 2.0}
FILES = (
    *('depth.png', 'depth.npy', 'uncertainty.npy', 'disparity.pfm', 'cloud.ply'),
    *('montage.png', 'result.json'),
)


def write_pair(folder, pair, calibration=CALIB):
    """Write a pair as it would lie there for an hour."""
    folder.mkdir(parents=True)
    for name, image in (('left.png', pair.left), ('right.png', pair.right)):
        assert cv2.imwrite(str(folder / name), image[..., ::-1])
    if calibration:
        (folder / 'calib.txt').write_text(calibration)
    for path in folder.iterdir():
        age(path, 3600)


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture
def images(tmp_path, stereo_pair):
    """Left and right image of a pair, its calib.txt beside them."""
    write_pair(tmp_path / 'scene', stereo_pair)
    return tmp_path / 'scene' / 'left.png', tmp_path / 'scene' / 'right.png'


@pytest.fixture
def pairs(tmp_path, stereo_pair):
    """A folder with the pairs a and b."""
    for name in 'ab':
        write_pair(tmp_path / 'pairs' / name, stereo_pair)
    return tmp_path / 'pairs'


def written(folder):
    return sorted(path.name for path in folder.iterdir())


# --- one pair --------------------------------------------------------------------------------


@pytest.mark.parametrize('calibration', [('--calib', 'scene/calib.txt'), NUMBERS])
def test_files_hold_the_numbers_of_the_python_api(call, images, tmp_path, calibration):
    options = ('--min-depth-mm', 300, '--scale', 0.8, '--z-far', 1)
    outcome = call('stereo', *images, *calibration, *options, '--out', 'out')
    assert (outcome.code, outcome.err) == (0, [])
    assert written(tmp_path / 'out') == sorted(FILES)
    config = StereoDepthAdvancedConfig(**CONFIG, min_depth_mm=300, scale_factor=0.8, z_far=1)
    command = StereoDepthCommand(
        left_image=images[0],
        right_image=images[1],
        model_backend='opencv-sgbm',
        return_point_cloud=True,
        advanced_config=config,
    )
    expected = StereoDepth().run(command)
    assert 0.5 < (expected.raw_depth > 0).mean() < 1

    depth_m = np.load(tmp_path / 'out' / 'depth.npy')
    assert (depth_m.dtype, depth_m.shape) == (np.float32, (96, 160))
    np.testing.assert_array_equal(np.nan_to_num(depth_m, nan=0.0), expected.raw_depth)
    millimetres = cv2.imread(str(tmp_path / 'out' / 'depth.png'), cv2.IMREAD_UNCHANGED)
    assert millimetres.dtype == np.uint16
    np.testing.assert_array_equal(millimetres, np.rint(expected.raw_depth * 1000))
    disparity = cv2.imread(str(tmp_path / 'out' / 'disparity.pfm'), cv2.IMREAD_UNCHANGED)
    deviation = np.load(tmp_path / 'out' / 'uncertainty.npy')
    np.testing.assert_array_equal(np.nan_to_num(deviation), expected.depth_uncertainty)
    np.testing.assert_array_equal(np.isnan(deviation), expected.depth_uncertainty == 0)
    np.testing.assert_array_equal(np.nan_to_num(disparity), np.float32(expected.disparity_map))
    np.testing.assert_array_equal(np.isnan(disparity), np.isnan(depth_m))


def test_the_cloud_is_that_of_the_python_api(call, images, tmp_path):
    open3d = pytest.importorskip('open3d', exc_type=ImportError)
    call('stereo', *images, *NUMBERS)
    command = StereoDepthCommand(
        left_image=images[0],
        right_image=images[1],
        model_backend='opencv-sgbm',
        return_point_cloud=True,
        advanced_config=StereoDepthAdvancedConfig(**CONFIG),
    )
    expected = StereoDepth().run(command).point_cloud
    cloud = open3d.io.read_point_cloud(str(tmp_path / 'out' / 'cloud.ply'))
    np.testing.assert_array_equal(np.asarray(cloud.points), np.asarray(expected.points))
    np.testing.assert_allclose(np.asarray(cloud.colors), np.asarray(expected.colors), atol=1e-9)


def test_the_record_and_the_line_say_what_ran(call, images, tmp_path):
    outcome = call('stereo', *images, *NUMBERS)
    assert outcome.out[0].startswith('left.png: 160x96, ')
    assert re.search(r' % measured, 0\.\d+ to 1\.\d+ m, ', outcome.out[0])
    assert ' opencv-sgbm, ' in outcome.out[0] and outcome.out[0].endswith(' s -> out')
    assert [line.split()[0] for line in outcome.out[1:]] == list(FILES[:-1])
    record = json.loads((tmp_path / 'out' / 'result.json').read_text())
    assert record['backend_used'] == 'opencv-sgbm'
    assert record['calibration']['baseline_mm'] == pytest.approx(100.1)
    assert record['asked']['fx'] == 100
    assert list(record['files']) == list(FILES[:-1])
    assert 'millimetres' in record['files']['depth.png']


def test_disparity_reads_back_as_ground_truth_of_a_pair(call, images, tmp_path):
    call('stereo', *images, *NUMBERS)
    (tmp_path / 'out' / 'disparity.pfm').rename(tmp_path / 'scene' / 'disp0.pfm')
    truth = load_pair(tmp_path / 'scene').disparity
    assert np.nanmedian(truth) == pytest.approx(8, abs=0.1)
    outcome = call('stereo', 'scene', '--out', 'again')
    assert outcome.code == 0
    record = json.loads((tmp_path / 'again' / 'scene' / 'result.json').read_text())
    assert (record['density'], record['epe'], record['depth_error_median']) == (1.0, 0.0, 0.0)


def test_the_search_begins_where_the_calibration_says(call, images, tmp_path):
    calibration = tmp_path / 'scene' / 'calib.txt'

    def searched_from(ndisp, *options):
        calibration.write_text(CALIB + ndisp)
        assert call('stereo', *images, '--calib', calibration, *options).code == 0
        return json.loads((tmp_path / 'out' / 'result.json').read_text())['searched_from_m']

    assert searched_from('ndisp=12') == pytest.approx(100 * 0.1001 / (12 + 2))
    assert searched_from('ndisp=12', '--min-depth-mm', 400) == 0.4
    assert searched_from('ndisp=12', '--max-depth-mm', 700) == 0.5  # a bound beyond the end
    assert searched_from('ndisp=150') == searched_from('') == 0.5  # no bound at all


def test_a_search_range_without_sense_is_not_taken_from_the_calibration(call, images, tmp_path):
    verged = CALIB.replace('doffs=2', 'doffs=-30').replace('81.5', '49.5') + 'ndisp=24'
    (tmp_path / 'verged.txt').write_text(verged)
    outcome = call('stereo', *images, '--calib', 'verged.txt')
    assert outcome.code == 0
    assert json.loads((tmp_path / 'out' / 'result.json').read_text())['searched_from_m'] == 0.5


def test_grey_images_work(call, tmp_path, stereo_pair):
    for name, image in (('l.png', stereo_pair.left), ('r.png', stereo_pair.right)):
        assert cv2.imwrite(str(tmp_path / name), cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    assert call('stereo', 'l.png', 'r.png', *NUMBERS).code == 0


def test_another_matcher_is_named(call, images, tmp_path, monkeypatch):
    matcher = serve_matcher(monkeypatch, KnownMatcher(18.0, checkpoint='/models/mine.pth'))
    outcome = call('stereo', *images, *NUMBERS, '--backend', 'mine.pth')
    assert '100.0 % measured, 0.501 to 0.501 m, /models/mine.pth' in outcome.out[0]
    assert matcher.asked[0].s2m2.model_backend == 'mine.pth'
    np.testing.assert_allclose(np.load(tmp_path / 'out' / 'depth.npy'), 10.01 / 20, rtol=1e-6)


def test_why_there_is_no_depth_stands_in_a_line_and_in_the_record(call, images, tmp_path):
    outcome = call('stereo', *reversed(images), *NUMBERS, '--max-depth-mm', 1100)
    said = json.loads((tmp_path / 'out' / 'result.json').read_text())['message']
    assert said and f'right.png: {said}' in outcome.out


def test_a_cloud_that_is_empty_is_not_called_no_depth(call, images):
    outcome = call('stereo', *images, *NUMBERS, '--z-far', 0.2)
    assert '% measured' in outcome.out[0] and 'the cloud is empty' in outcome.out[1]


def test_no_answer_at_all_is_no_error(call, images, monkeypatch):
    serve_matcher(monkeypatch, KnownMatcher(np.nan))
    outcome = call('stereo', *images, *NUMBERS, '--backend', 'mine.pth')
    assert (outcome.code, outcome.err) == (0, [])
    assert 'no depth' in outcome.out[0]


@pytest.mark.parametrize(
    ('given', 'said'),
    [
        (('scene/left.png',), 'stereo: scene/left.png: expected two images or a folder of pairs'),
        (('nothing',), 'stereo: nothing: no such folder; expected one that holds left.png'),
        (('scene', '--scale', 3), 'stereo: scale_factor: Input should be less than or equal to 1'),
        (('scene', '--device', 'tpu'), 'stereo: device: String should match pattern'),
        (('scene', '--calib', 'none.txt'), 'stereo: none.txt: expected a Middlebury calib.txt'),
        (('scene', '--backend', 'none.pth'), "stereo: 'none.pth' is neither a file nor a known"),
        (('scene', '--out', 'scene/left.png'), ' scene: scene/left.png/scene'),
        (('small.png', 'small.png', '--calib', 'scene/calib.txt'), 'is for images of 160x96'),
        (
            ('small.png', 'scene/left.png', *NUMBERS),
            'right_image: is 160x96, but left_image is 4x2',
        ),
    ],
)
def test_what_cannot_be_done_is_exit_code_1_and_one_line(call, images, tmp_path, given, said):
    assert cv2.imwrite(str(tmp_path / 'small.png'), np.zeros((2, 4), np.uint8))
    outcome = call('stereo', *given)
    (line,) = outcome.err
    assert outcome.code == 1
    assert line.startswith('vizion3d_depth') and said in line


# --- a folder of pairs -----------------------------------------------------------------------


def test_each_pair_gets_a_folder(call, pairs, tmp_path):
    outcome = call('stereo', pairs)
    assert (outcome.code, outcome.err) == (0, [])
    assert outcome.out[-1] == '2 done, 0 already there, 0 failed'
    assert [written(tmp_path / 'out' / name) for name in 'ab'] == [sorted(FILES)] * 2


def test_bad_pairs_are_named_at_the_end_and_harm_no_other(call, pairs, stereo_pair, tmp_path):
    write_pair(pairs / '0 without', stereo_pair, calibration='')
    write_pair(pairs / 'cut', stereo_pair)
    (pairs / 'cut' / 'right.png').write_bytes((pairs / 'cut' / 'right.png').read_bytes()[:-999])
    write_pair(pairs / 'other', stereo_pair, CALIB.replace('160', '320'))
    outcome = call('stereo', pairs)
    assert outcome.code == 1
    assert outcome.out[-1] == '2 done, 0 already there, 3 failed'
    assert [line.split(': ')[1] for line in outcome.err] == ['0 without', 'cut', 'other']
    assert 'put calib.txt beside the images' in outcome.err[0]
    assert 'right.png: image is damaged' in outcome.err[1]
    assert 'is for images of 320x96' in outcome.err[2]
    assert written(tmp_path / 'out') == ['a', 'b']


def test_numbers_serve_pairs_without_a_calibration(call, tmp_path, stereo_pair):
    write_pair(tmp_path / 'without', stereo_pair, calibration='')
    assert call('stereo', 'without', *NUMBERS).code == 0
    record = json.loads((tmp_path / 'out' / 'without' / 'result.json').read_text())
    assert record['calibration']['fx'] == 100


def test_what_is_done_is_skipped(call, pairs):
    call('stereo', pairs)
    assert call('stereo', pairs).out == [
        'a: already in out/a',
        'b: already in out/b',
        '0 done, 2 already there, 0 failed',
    ]


def test_a_newer_image_or_other_options_or_force_make_it_again(call, pairs):
    call('stereo', pairs)
    age(pairs / 'b' / 'calib.txt', -60)
    outcome = call('stereo', pairs)
    assert outcome.out[0] == 'a: already in out/a'
    assert outcome.out[-1] == '1 done, 1 already there, 0 failed'
    age(pairs / 'b' / 'calib.txt', 3600)
    for options in (['--force'], ['--z-far', 3]):
        assert call('stereo', pairs, *options).out[-1] == '2 done, 0 already there, 0 failed'


def test_a_checkpoint_that_cannot_be_had_ends_it_at_once(call, pairs):
    outcome = call('stereo', pairs, '--backend', 's2m2-S')
    (line,) = outcome.err
    assert (outcome.code, outcome.out) == (1, [])
    assert 'no address to download s2m2-S from is known' in line
