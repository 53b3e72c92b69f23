# SPDX-License-Identifier: Apache-2.0
"""Seven numbers become a rotation and a translation."""

import numpy as np
import pytest

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.geometry.pose import read_pose

HALF = 0.5**0.5


@pytest.mark.parametrize(
    ('quaternion', 'goes', 'to'),
    [
        ((0, 0, 0, 1), (1, 2, 3), (1, 2, 3)),
        ((HALF, 0, 0, HALF), (0, 1, 0), (0, 0, 1)),  # a quarter turn about x
        ((0, HALF, 0, HALF), (0, 0, 1), (1, 0, 0)),  # about y
        ((0, 0, HALF, HALF), (1, 0, 0), (0, 1, 0)),  # about z
        ((0, 0, 30, 30), (1, 0, 0), (0, 1, 0)),  # need not be normalised
        ((0.5, -0.5, 0.5, 0.5), (1, 2, 3), (-2, -3, 1)),  # REP-103 body to optical
    ],
)
def test_rotations_turn_as_they_should(quaternion, goes, to):
    rotation, translation = read_pose((4.0, 5.0, 6.0, *quaternion))
    np.testing.assert_allclose(rotation @ goes, to, atol=1e-12)
    np.testing.assert_array_equal(translation, [4, 5, 6])


def test_any_quaternion_gives_an_orthonormal_right_handed_rotation():
    for quaternion in np.random.default_rng(0).normal(size=(20, 4)):
        rotation = read_pose((0, 0, 0, *quaternion)).rotation
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1)


@pytest.mark.parametrize(
    ('numbers', 'words'),
    [
        ((0.0,) * 7, ('quaternion', 'must not be zero', '0, 0, 0, 1')),
        ((0.0, 0.0, 0.0, 1.0), ('7 finite numbers', '[0.0, 0.0, 0.0, 1.0]')),
        ((0.0, float('nan'), 0.0, 0.0, 0.0, 0.0, 1.0), ('7 finite numbers', 'nan')),
    ],
)
def test_what_is_no_pose_is_refused(numbers, words):
    with pytest.raises(InputError) as refused:
        read_pose(numbers)
    assert all(word in str(refused.value) for word in words)
