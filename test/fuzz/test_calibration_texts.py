# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a calib.txt: a rig, or a CalibrationError that names the file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
lines = st.builds(
    '{}{}{}'.format,
    st.sampled_from(KEYS) | st.text(max_size=5),
    st.sampled_from(['=', ' = ', ': ', '']),
    st.sampled_from(VALUES) | st.text(max_size=20),
)
texts = st.lists(lines, max_size=12).map('\n'.join) | st.text(max_size=200)
contents = texts.map(str.encode) | st.binary(max_size=200)


@pytest.fixture(scope='module')
def path(tmp_path_factory):
    return tmp_path_factory.mktemp('fuzz') / 'calib.txt'


@given(content=contents)
def test_a_calibration_file_is_read_or_refused(path, content):
    path.write_bytes(content)
    try:
        calibration = read_calibration(path)
    except CalibrationError as error:
        assert str(path) in str(error)
    else:
        assert calibration.rig.baseline_m > 0
        assert calibration.rig.left.fx > 0
