# SPDX-License-Identifier: Apache-2.0
"""Distortion models by all the names that drivers give them."""

import pytest

from vizion3d_ros.contracts.calibration.lens import read_lens
from vizion3d_ros.contracts.errors import CalibrationError

FIVE = (-0.3, 0.1, 0.001, 0.002, -0.01)
FOUR = FIVE[:4]
ZEROS = (0.0,) * 3


@pytest.mark.parametrize('name', ['plumb_bob', 'Plumb Bob', 'PLUMB_BOB', 'radtan', 'rad-tan'])
@pytest.mark.parametrize('zeros', [0, 3, 7])
def test_a_polynomial_is_known_by_any_name_and_with_zeros_behind(name, zeros):
    lens = read_lens(name, FIVE + (0.0,) * zeros)
    assert (lens.fisheye, lens.coefficients) == (False, FIVE)


@pytest.mark.parametrize('count', [8, 12, 14])
@pytest.mark.parametrize('name', ['rational_polynomial', 'plumb_bob'])
def test_all_counts_of_opencv_are_kept(name, count):
    d = FIVE + (0.5,) * (count - 5)
    assert read_lens(name, d).coefficients == d


@pytest.mark.parametrize('name', ['equidistant', 'fisheye', 'Kannala-Brandt', 'equi'])
@pytest.mark.parametrize('zeros', [0, 1, 4])
def test_a_fisheye_is_known_by_any_name_and_with_zeros_behind(name, zeros):
    lens = read_lens(name, FOUR + (0.0,) * zeros)
    assert (lens.fisheye, lens.coefficients) == (True, FOUR)


@pytest.mark.parametrize('name', ['', 'none', 'None', 'pinhole', 'plumb_bob'])
@pytest.mark.parametrize('d', [(), ZEROS, (0.0,) * 5, (0.0,) * 8])
def test_without_coefficients_no_lens_bends_whatever_its_name(name, d):
    assert not read_lens(name, d).bends


@pytest.mark.parametrize(
    ('name', 'd'),
    [('equidistant', FIVE), ('cylinder', FIVE), ('', FIVE), ('plumb_bob', FIVE[:3])],
)
def test_what_has_no_meaning_is_refused_with_the_cure(name, d):
    with pytest.raises(CalibrationError, match=f'{len(d)} coefficients, .*set rectify to false'):
        read_lens(name, d)
