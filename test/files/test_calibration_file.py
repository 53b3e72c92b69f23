# SPDX-License-Identifier: Apache-2.0
"""Middlebury calibration files: what is read, and every way they can be wrong."""

import pytest

from vizion3d_ros.contracts.errors import CalibrationError
from vizion3d_ros.files.calibration_file import parse_calibration, read_calibration

GOOD = """cam0=[994.978 0 311.193; 0 990.5 254.877; 0 0 1]
cam1=[994.978 0 342.279; 0 990.5 254.877; 0 0 1]
doffs=31.086
baseline=193.001
width=741
height=500
ndisp=68
isint=0
vmin=7
vmax=61.5
dyavg=0
"""


def changed(key, value):
    lines = [line for line in GOOD.splitlines() if not line.startswith(f'{key}=')]
    return '\n'.join(lines if value is None else [*lines, f'{key}={value}'])


def test_numbers_come_out_in_metres_and_pixels():
    read = parse_calibration(GOOD)
    assert read.rig.baseline_m == pytest.approx(0.193001)
    assert read.rig.doffs == pytest.approx(31.086)
    camera = read.rig.left
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (994.978, 990.5, 311.193, 254.877)
    assert (camera.width, camera.height) == (741, 500)
    assert (read.ndisp, read.vmin, read.vmax) == (68, 7.0, 61.5)


def test_doffs_and_disparity_bounds_are_optional():
    text = changed('doffs', None).replace('ndisp=68', '').replace('vmin=7', '')
    read = parse_calibration(text.replace('vmax=61.5', ''))
    assert read.rig.doffs == pytest.approx(342.279 - 311.193)
    assert (read.ndisp, read.vmin, read.vmax) == (None, None, None)


def test_spaces_and_blank_lines_do_no_harm():
    spaced = '\n\n' + GOOD.replace('=', ' = ').replace('; ', ' ;  ')
    assert parse_calibration(spaced) == parse_calibration(GOOD)


@pytest.mark.parametrize(
    'changes',
    [
        {'baseline=193.001': 'baseline=193.001 # between the lenses'},
        {'baseline=193.001': 'baseline=193.001 mm', 'doffs=31.086': 'doffs=31.086 px'},
        {'width=741': 'width=741   (half size)', 'height=500': 'height = 500 // rows'},
        {'254.877; 0 0 1]': '254.877; 0 0 1]  left and right, rectified'},
        {'baseline=193.001': 'baseline=193.001 mm (measured)'},
        {'cam0': '; the rig in the hall\nCAM0', 'baseline': 'Baseline'},
        {'cam0': '# made by calibrate.py\n%% 2014\ncam0', 'vmin=7': 'vmin=7\n\n   # end'},
    ],
)
def test_comments_units_and_notes_do_no_harm(changes):
    text = GOOD
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    assert parse_calibration(text) == parse_calibration(GOOD)


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16'])
@pytest.mark.parametrize('ending', ['\n', '\r\n', '\r'])
def test_files_of_other_systems_are_read(tmp_path, ending, encoding):
    path = tmp_path / 'calib.txt'
    path.write_bytes(GOOD.replace('\n', ending).encode(encoding))
    assert read_calibration(path) == parse_calibration(GOOD)


def test_letters_of_another_encoding_in_a_comment_do_no_harm(tmp_path):
    path = tmp_path / 'calib.txt'
    path.write_bytes(f'# für die Halle\n{GOOD}'.encode('latin-1'))
    assert read_calibration(path) == parse_calibration(GOOD)
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + GOOD.encode())
    with pytest.raises(CalibrationError, match='expected a Middlebury'):
        read_calibration(path)


def test_a_key_that_is_given_twice_is_no_matter_of_its_order():
    with pytest.raises(CalibrationError, match=r"baseline is given twice, .*193\.001.* '50'"):
        parse_calibration(f'{GOOD}baseline=50\n')
    assert parse_calibration(f'{GOOD}baseline=193.001\n') == parse_calibration(GOOD)


def test_metres_are_not_taken_for_millimetres():
    with pytest.raises(CalibrationError, match=r"number of millimetres, got '0.193 m'"):
        parse_calibration(changed('baseline', '0.193 m'))


RIGHT_YAML = """image_width: 640
image_height: 480
camera_name: right
camera_matrix: {rows: 3, cols: 3, data: [1, 0, 2, 0, 3, 4, 0, 0, 1]}
projection_matrix:
  rows: 3
  cols: 4
  data: [400.0, 0.0, 320.5, -48.0, 0.0, 400.0, 240.5, 0.0, 0.0, 0.0, 1.0, 0.0]
"""


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        (RIGHT_YAML, ('ROS', '--fx 400 --fy 400 --cx 320.5 --cy 240.5 --baseline-mm 120')),
        (RIGHT_YAML.replace('-48', '0'), ('ROS', 'the left one', '--baseline-mm MM')),
        (RIGHT_YAML.replace('-48', '48'), ('projection_matrix[3] is 48', '--baseline-mm MM')),
        (RIGHT_YAML.replace('400', 'x'), ('ROS', 'cannot be read', 'by numbers')),
        ('400 0 320 0 401 240 0 0 1\n0.12\n', ('K.txt', '--fy 401', '--baseline-mm 120')),
        ('400 0 320 0 401 240 0 0 1\n', ('K.txt without the baseline', '--baseline-mm')),
        ('400 0 320 0 401 240 0 0 1\n120\n', ('baseline 120', '0.001 to 4 metres')),
        ('nan 0 320 0 401 240 0 0 1\n0.12\n', ('fx nan', 'expected positive pixels')),
        ('{"cam0": [[400, 0, 320]]}', ('JSON', '--baseline-mm')),
        ('cam0:\n  intrinsics: [400, 401, 320, 240]\n', ('YAML', '--baseline-mm')),
        ('%YAML:1.0\n---\nM1: !!opencv-matrix\n', ('OpenCV', '--baseline-mm')),
        ('P0: 7.2e+02 0 6.1e+02 0\n', ('KITTI', '--baseline-mm')),
        ('S_00: 1.3e+03 5e+02\nP_rect_00: 7.2e+02 0\n', ('KITTI', '--baseline-mm')),
        ('<?xml?>\n<opencv_storage>\n', ('OpenCV', '--baseline-mm')),
        ('<html>\n<p>not found', ('HTML', '--baseline-mm')),
        ('[LEFT_CAM_HD]\nfx=700\n', ('INI', '--baseline-mm')),
        ('projection_matrix: ' + '[' * 5000, ('ROS', 'cannot be read')),
        ('{"fx": 400}', ('JSON', '--baseline-mm')),
        ('camera:\n  fx: 400\n', ('YAML', '--baseline-mm')),
    ],
)
def test_another_calibration_is_recognised_and_its_numbers_are_given(text, words):
    with pytest.raises(CalibrationError) as caught:
        parse_calibration(text, 'rig/left.yaml')
    message = str(caught.value)
    assert message.startswith('rig/left.yaml: ') and message.endswith('a Middlebury calib.txt')
    assert all(word in message for word in words), message


def test_doffs_may_be_rounded():
    assert parse_calibration(changed('doffs', '31.09')).rig.doffs == 31.09


@pytest.mark.parametrize('key', ['cam0', 'cam1', 'baseline', 'width', 'height'])
def test_a_missing_key_is_named(key):
    with pytest.raises(CalibrationError, match=rf'scene/calib\.txt.*\b{key}\b.*missing'):
        parse_calibration(changed(key, None), 'scene/calib.txt')


@pytest.mark.parametrize(
    ('key', 'value', 'expected'),
    [
        ('cam0', '994.978', 'a matrix'),
        ('cam0', '[1 0 2; 0 1 3]', 'a matrix'),
        ('cam0', '[1 0 2; 0 1 3; 0 0 1; 0 0 0]', 'a matrix'),
        ('cam1', '[994.978 0 x; 0 990.5 254.877; 0 0 1]', 'a matrix'),
        ('cam1', '[994.978 0 nan; 0 990.5 254.877; 0 0 1]', 'a matrix'),
        ('cam0', '[994.978 0.5 311.193; 0 990.5 254.877; 0 0 1]', 'a matrix'),
        ('cam0', '[-994.978 0 311.193; 0 990.5 254.877; 0 0 1]', 'positive'),
        ('baseline', '-193', 'positive number of millimetres'),
        ('baseline', '0', 'positive number of millimetres'),
        ('baseline', 'inf', 'positive number of millimetres'),
        ('baseline', 'wide', 'positive number of millimetres'),
        ('doffs', '30', '31.086'),
        ('doffs', 'none', 'number'),
        ('width', '741.5', 'whole number'),
        ('height', '-500', 'whole number'),
        ('ndisp', '0', 'whole number'),
        ('vmax', 'far', 'number'),
    ],
)
def test_a_bad_value_is_quoted_with_what_was_expected(key, value, expected):
    with pytest.raises(CalibrationError) as caught:
        parse_calibration(changed(key, value), 'scene/calib.txt')
    message = str(caught.value)
    assert message.startswith(f'scene/calib.txt: {key} must be')
    assert expected in message and repr(value) in message


@pytest.mark.parametrize(
    ('part', 'cam1'),
    [
        ('fx', '[995.978 0 342.279; 0 990.5 254.877; 0 0 1]'),
        ('fy', '[994.978 0 342.279; 0 991.5 254.877; 0 0 1]'),
        ('cy', '[994.978 0 342.279; 0 990.5 255.877; 0 0 1]'),
    ],
)
def test_cameras_that_are_not_rectified_are_refused(part, cam1):
    with pytest.raises(CalibrationError, match=f'{part} of cam0 and cam1 must be equal'):
        parse_calibration(changed('cam1', cam1))


def test_a_line_without_a_key_is_quoted():
    with pytest.raises(CalibrationError, match="key=value, got 'hello'"):
        parse_calibration(GOOD + 'hello\n')


def test_a_file_is_read_and_one_that_is_not_there_is_named(tmp_path):
    path = tmp_path / 'calib.txt'
    with pytest.raises(CalibrationError, match=r'calib\.txt'):
        read_calibration(path)
    path.write_text(GOOD)
    assert read_calibration(path) == parse_calibration(GOOD)


def test_a_file_that_is_not_text_is_named(tmp_path):
    path = tmp_path / 'calib.txt'
    for content in (b'\xff\xfe\x00cam0', GOOD.encode('utf-16-le'), b'\x89PNG\r\n\x1a\n', bytes(9)):
        path.write_bytes(content)
        with pytest.raises(CalibrationError, match=r'calib\.txt, got no text$'):
            read_calibration(path)


def test_a_file_of_any_size_is_read_and_quoted_as_far_as_a_calibration_may_go(tmp_path):
    path = tmp_path / 'calib.txt'
    with path.open('wb') as file:
        file.truncate(10**12)
    with pytest.raises(CalibrationError, match='got no text'):
        read_calibration(path)
    with pytest.raises(CalibrationError, match='baseline must be') as caught:
        parse_calibration(changed('baseline', 'x' * 10**6))
    assert len(str(caught.value)) < 200
