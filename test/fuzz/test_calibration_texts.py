# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a calib.txt: a rig, or a CalibrationError that names the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes import accepted, both_ways, refused

from vizion3d_ros.contracts.errors import CalibrationError
from vizion3d_ros.files.calibration_file import read_calibration

KEYS = ['cam0', 'cam1', 'doffs', 'baseline', 'width', 'height', 'ndisp', 'vmin', 'isint', 'K']
VALUES = [
    '[100 0 16; 0 100 12; 0 0 1]',
    '[100 0 18; 0 100 12; 0 0 1]',
    '100',
    '2',
    '32',
    '1e400',
    'nan',
    '-1',
    '[1 2; 3]',
    '',
]
GOOD = [
    'cam0=[100 0 16; 0 100 12; 0 0 1]',
    'cam1=[100 0 18; 0 100 12; 0 0 1]',
    'baseline=50 mm',
    'width=32',
    'height=24',
]
lines = st.builds(
    '{}{}{}'.format,
    st.sampled_from(KEYS) | st.text(max_size=5),
    st.sampled_from(['=', ' = ', ': ', '']),
    st.sampled_from(VALUES) | st.text(max_size=20),
)
# A good file with lines of chance before or behind, which count if they are the last of a key.
spoilt = st.tuples(st.lists(lines, max_size=3), st.booleans(), st.lists(lines, max_size=1)).map(
    lambda parts: '\n'.join([*parts[0], *GOOD, *(parts[2] if parts[1] else [])])
)
texts = spoilt | st.text(max_size=200)
contents = texts.map(str.encode) | st.binary(max_size=200)


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return tmp_path_factory.mktemp('fuzz') / 'calib.txt'


@both_ways
@given(content=contents)
def test_a_calibration_file_is_read_or_refused(path, content):
    path.write_bytes(content)
    try:
        calibration = read_calibration(path)
    except CalibrationError as error:
        assert str(path) in str(error)
        return refused(error)
    assert calibration.rig.baseline_m > 0
    assert calibration.rig.left.fx > 0
    accepted()
