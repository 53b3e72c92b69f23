# SPDX-License-Identifier: Apache-2.0
"""Points of a lidar and pixels of a depth image end up where a camera sees them."""

import numpy as np
import pytest

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.geometry.metric_scale.sparse_depth import (
    MOST_POINTS,
    from_depth_image,
    from_pixels,
    project,
)

CAMERA = Intrinsics(width=100, height=80, fx=50.0, fy=40.0, cx=49.5, cy=39.5)
HERE = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
BODY = (0.1, -0.05, -0.08, 0.5, -0.5, 0.5, 0.5)  # x forward, y left, z up
NAN, INF = float('nan'), float('inf')


def seen(points, transform=HERE, camera=CAMERA):
    """Rows of column, row, depth."""
    sparse = project(np.array(points, np.float32).reshape(-1, 3), transform, camera)
    assert {a.dtype for a in (sparse.columns, sparse.rows, sparse.depth_m)} == {
        np.dtype(np.float32)
    }
    return np.stack([sparse.columns, sparse.rows, sparse.depth_m], axis=1).tolist()


def test_points_of_the_optical_frame_fall_on_their_pixels():
    assert seen([[0, 0, 2], [1, -0.5, 2]]) == [[49.5, 39.5, 2], [74.5, 29.5, 2]]


def test_points_of_another_frame_are_moved_first():
    # 2.08 forward is z = 2; 1.1 left and the lidar's 0.1 to the right make x = -1.
    assert seen([[2.08, 1.1, 0.45]], BODY) == [
        pytest.approx([49.5 - 50 / 2, 39.5 - 40 * 0.5 / 2, 2.0], abs=1e-4)
    ]


@pytest.mark.parametrize(
    'point',
    [
        *((NAN, 0, 2), (0, NAN, 2), (0, 0, NAN), (INF, 0, 2), (0, 0, INF), (INF, INF, INF)),
        *((0, 0, -2), (0, 0, 0), (1, 0, 0), (0, 0, -0.0)),
        *((3, 0, 2), (-3, 0, 2), (0, 3, 2), (0, -3, 2), (0, 1, 1e-30)),
    ],
)
@pytest.mark.parametrize('transform', [HERE, (0, 0, 0, 0, 0, 0, 2)])
def test_what_the_camera_cannot_see_is_left_out(point, transform):
    assert seen([[0, 0, 2], point, [0, 0, 3]], transform) == [[49.5, 39.5, 2], [49.5, 39.5, 3]]


@pytest.mark.parametrize(
    ('column', 'row', 'inside'),
    [
        (-0.45, -0.45, True), (99.45, 79.45, True),
        (-0.55, 5, False), (99.55, 5, False), (5, -0.55, False), (5, 79.55, False),
    ],
)  # fmt: skip
def test_the_image_ends_half_a_pixel_beyond_its_outer_pixel_centres(column, row, inside):
    point = [(column - 49.5) / 50, (row - 39.5) / 40, 1]
    assert len(seen([point])) == inside


def test_no_points_are_no_points():
    assert seen([]) == []
    assert from_depth_image(np.full((80, 100), np.nan, np.float32), CAMERA).depth_m.size == 0


def test_a_transform_that_is_no_pose_is_refused():
    with pytest.raises(InputError, match='quaternion'):
        project(np.zeros((1, 3), np.float32), (0.0,) * 7, CAMERA)


def test_the_measured_pixels_of_a_depth_image_are_taken():
    depth_m = np.full((80, 100), np.nan, np.float32)
    depth_m[3, 7], depth_m[79, 99], depth_m[10, 20] = 2.5, 4.0, 0.25
    depth_m[0, :3] = 0, -1, np.inf
    sparse = from_depth_image(depth_m, CAMERA)
    assert sparse.columns.tolist() == [7, 20, 99]
    assert sparse.rows.tolist() == [3, 10, 79]
    assert sparse.depth_m.tolist() == [2.5, 0.25, 4.0]


@pytest.mark.parametrize(('width', 'height'), [(50, 20), (200, 160), (33, 61)])
def test_a_depth_image_of_another_size_covers_the_same_view(width, height):
    depth_m = np.ones((height, width), np.float32)
    sparse = from_depth_image(depth_m, CAMERA)
    rows, columns = np.divmod(np.arange(width * height), width)
    if columns.size <= MOST_POINTS:
        np.testing.assert_allclose(
            (sparse.columns + 0.5) / 100, (columns + 0.5) / width, rtol=1e-5
        )
        np.testing.assert_allclose((sparse.rows + 0.5) / 80, (rows + 0.5) / height, rtol=1e-5)
    assert abs(sparse.columns.mean() - 49.5) < 0.5
    assert abs(sparse.rows.mean() - 39.5) < 0.5
    assert sparse.columns.min() >= -0.5 and sparse.columns.max() < 99.5
    assert sparse.rows.min() >= -0.5 and sparse.rows.max() < 79.5


def test_a_dense_depth_image_is_thinned_evenly_and_always_alike():
    camera = CAMERA.model_copy(update={'width': 640, 'height': 480})
    depth_m = np.arange(1, 640 * 480 + 1, dtype=np.float32).reshape(480, 640)
    sparse = from_depth_image(depth_m, camera)
    assert sparse.depth_m.size == MOST_POINTS
    np.testing.assert_array_equal(sparse.depth_m, sparse.rows * 640 + sparse.columns + 1)
    cells, _, _ = np.histogram2d(sparse.rows, sparse.columns, 8)
    even = MOST_POINTS / cells.size
    assert 0.6 * even < cells.min() and cells.max() < 1.5 * even
    again = from_depth_image(depth_m, camera)
    np.testing.assert_array_equal(again.depth_m, sparse.depth_m)


@pytest.mark.parametrize('beams', [16, 32, 64, 128])
def test_a_dense_scan_keeps_points_of_all_beams_whatever_their_order(beams):
    # As an Ouster sends it: column by column, beams in turn; every n-th would be of a few beams.
    beam = np.tile(np.arange(beams), 64_000 // beams)
    points = np.stack([beam * 0.001, beam * 0.0, beam * 0.0 + 2], axis=1)
    sparse = project(points, HERE, CAMERA)
    assert sparse.depth_m.size == MOST_POINTS
    kept = np.bincount(np.rint((sparse.columns - 49.5) / 0.025).astype(int), minlength=beams)
    assert kept.size == beams
    assert 0.4 * MOST_POINTS / beams < kept.min() and kept.max() < 1.8 * MOST_POINTS / beams


def test_of_measured_pixels_those_count_that_lie_in_the_image_and_have_a_depth():
    good = [(-0.5, 0, 1.0), (99.4, 79.4, 2.5)]
    outside = [(-0.6, 0, 1.0), (99.5, 0, 1.0), (0, -0.6, 1.0), (0, 79.5, 1.0)]
    nothing = [(1, 1, 0.0), (1, 1, -1.0), (1, 1, NAN), (1, 1, INF), (NAN, 1, 1.0), (1, INF, 1.0)]
    sparse = from_pixels(np.array([good[0], *outside, *nothing, good[1]]), 100, 80)
    found = np.stack([sparse.columns, sparse.rows, sparse.depth_m], axis=1)
    np.testing.assert_array_equal(found, np.float32(good))
    assert found.dtype == np.float32
