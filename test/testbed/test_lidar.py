# SPDX-License-Identifier: Apache-2.0
"""A simulated lidar measures what the camera's true depth says, as wrongly as asked."""

import numpy as np
import pytest

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.geometry.metric_scale.sparse_depth import project
from vizion3d_ros.geometry.pose import read_pose
from vizion3d_ros.testbed.lidar import LIDAR_POSE, simulate

CAMERA = Intrinsics(width=320, height=240, fx=250.0, fy=260.0, cx=150.0, cy=130.0)
POSES = [LIDAR_POSE, (0, 0, 0, 0, 0, 0, 1), (-1.0, 0.3, 0.5, 0.1, -0.2, 0.9, 0.4)]


def depth_image():
    return np.random.default_rng(1).uniform(1.5, 9.0, (240, 320)).astype(np.float32)


def scan(depth_m=None, pose=LIDAR_POSE, points=1000, noise_m=0.0, outliers=0.0, seed=0):
    depth_m = depth_image() if depth_m is None else depth_m
    rng = np.random.default_rng(seed)
    return simulate(depth_m, CAMERA, pose, points, noise_m, outliers, rng)


@pytest.mark.parametrize('pose', POSES)
@pytest.mark.parametrize('points', [1, 7, 1000, 3999])
def test_without_noise_the_camera_sees_the_points_where_the_depth_came_from(pose, points):
    cloud = scan(pose=pose, points=points)
    assert cloud.dtype == np.float32 and cloud.shape == (points, 3)
    seen = project(cloud, pose, CAMERA)
    assert seen.depth_m.size == points
    columns, rows = np.rint(seen.columns), np.rint(seen.rows)
    np.testing.assert_allclose(seen.columns, columns, atol=1e-3)
    np.testing.assert_allclose(seen.rows, rows, atol=1e-3)
    true = depth_image()[rows.astype(int), columns.astype(int)]
    np.testing.assert_allclose(seen.depth_m, true, rtol=2e-6)


def test_the_points_are_in_the_body_frame_of_rep_103():
    ahead = scan(np.full((240, 320), 5.0, np.float32))
    seen = project(ahead, LIDAR_POSE, CAMERA)
    np.testing.assert_allclose(ahead[:, 0], 5.08, rtol=1e-6)  # forward; it sits 8 cm behind
    left, high = seen.columns < 100, seen.rows < 80
    assert ahead[left, 1].min() > 0.5 > ahead[~left, 1].min()
    assert ahead[high, 2].min() > 0.5 > ahead[~high, 2].min()


def test_the_rig_carries_it_right_of_above_and_behind_the_camera():
    rotation, translation = read_pose(LIDAR_POSE)
    assert translation.tolist() == [0.1, -0.05, -0.08]
    np.testing.assert_allclose(rotation @ [1, 0, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation @ [0, 1, 0], [-1, 0, 0], atol=1e-12)


def test_rings_cover_the_image_and_are_denser_along_than_across():
    seen = project(scan(points=2000), LIDAR_POSE, CAMERA)
    cells, _, _ = np.histogram2d(seen.rows, seen.columns, 4, [(-0.5, 239.5), (-0.5, 319.5)])
    assert cells.min() > 0.7 * 2000 / 16 and cells.max() < 1.3 * 2000 / 16
    rings = np.unique(np.rint(seen.rows)).size
    assert 15 < rings < 25
    assert 2000 / rings / 320 == pytest.approx(4 * rings / 240, rel=0.15)


def test_noise_is_along_the_ray_and_of_the_deviation_asked_for():
    clean, noisy = scan(points=4000), scan(points=4000, noise_m=0.05)
    ranges = np.linalg.norm(clean, axis=1)
    along = (noisy * clean).sum(axis=1) / ranges
    assert (along - ranges).std() == pytest.approx(0.05, rel=0.05)
    np.testing.assert_allclose(np.cross(noisy, clean), 0, atol=1e-4)


def test_as_many_ranges_are_wrong_as_asked_between_half_and_double():
    clean, spoilt = scan(points=4000), scan(points=4000, outliers=0.3)
    stretch = np.linalg.norm(spoilt, axis=1) / np.linalg.norm(clean, axis=1)
    wrong = np.abs(stretch - 1) > 1e-5
    assert wrong.mean() == pytest.approx(0.3, abs=0.03)
    assert 0.5 <= stretch.min() < 0.6 and 1.9 < stretch.max() <= 2.0


def test_pixels_without_depth_are_not_hit():
    depth_m = depth_image()
    depth_m[:, :160], depth_m[:80], depth_m[160:] = np.nan, 0.0, np.inf
    seen = project(scan(depth_m), LIDAR_POSE, CAMERA)
    assert 100 < seen.depth_m.size < 250
    assert seen.columns.min() > 159 and seen.rows.min() > 79 and seen.rows.max() < 160
    assert scan(np.full((240, 320), np.nan, np.float32)).shape == (0, 3)


def test_the_same_seed_gives_the_same_scan():
    options = {'noise_m': 0.1, 'outliers': 0.2}
    np.testing.assert_array_equal(scan(**options), scan(**options))
    assert (scan(**options) != scan(**options, seed=1)).any()


def test_a_pose_that_is_none_is_refused():
    with pytest.raises(InputError, match='quaternion'):
        scan(pose=(0.0,) * 7)
