# SPDX-License-Identifier: Apache-2.0
"""Boxes around points: along the axes of the frame, or of the object."""

import numpy as np
import pytest

from vizion3d_ros.geometry.annotation.boxes import box_around
from vizion3d_ros.testbed.view import rotation_x, rotation_y, rotation_z

NO_TURN = np.eye(3)


def brick(turn=NO_TURN):
    """Corners and inside of a brick of 0.4 x 0.2 x 0.1 m around (1, 2, 3)."""
    grid = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 5)] * 3), axis=-1).reshape(-1, 3)
    return (grid * [0.4, 0.2, 0.1]) @ turn.T + [1.0, 2.0, 3.0]


def matrix(x, y, z, w):
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def test_along_the_axes_of_the_frame():
    box = box_around(brick(), oriented=False)
    assert np.allclose(box.centre, [1, 2, 3])
    assert np.allclose(box.size, [0.4, 0.2, 0.1])
    assert box.quaternion == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize('angle', [0.0, 0.4, 1.5, 3.0, -2.0])
@pytest.mark.parametrize('rotation', [rotation_x, rotation_y, rotation_z])
def test_along_the_axes_of_the_object(rotation, angle):
    points = brick(rotation(angle))
    box = box_around(points, oriented=True)
    assert np.allclose(box.centre, [1, 2, 3])
    assert np.allclose(box.size, [0.4, 0.2, 0.1])
    turn = matrix(*box.quaternion)
    assert np.allclose(turn, box.rotation) and np.isclose(np.linalg.det(turn), 1)
    assert (abs((points - box.centre) @ turn) <= box.size / 2 + 1e-9).all()


def test_one_point_has_a_box_of_no_size():
    box = box_around(np.array([[1.0, 2.0, 3.0]]), oriented=True)
    assert np.allclose(box.centre, [1, 2, 3]) and not box.size.any()


@pytest.mark.parametrize('oriented', [False, True])
def test_few_points_far_from_all_others_do_not_count_where_depth_is_noisy(oriented):
    points = np.concatenate([np.tile(brick(), (8, 1)), [[1.0, 2.0, 5.0]] * 9])
    assert np.allclose(box_around(points, oriented, 0.004).centre, [1, 2, 3])
    assert box_around(points, oriented).size.max() >= 2
