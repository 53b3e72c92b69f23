# SPDX-License-Identifier: Apache-2.0
"""Voxel clouds against a loop over a dictionary, and at the edges."""

from collections import defaultdict

import numpy as np
import pytest
import torch

from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.settings.node_settings import PointsSettings
from vizion3d_ros.geometry.reprojection import make_cloud
from vizion3d_ros.geometry.voxels import average_voxels

NAN = float('nan')


@pytest.fixture
def points(device):
    """Points on both sides of the origin in runs, as an image has them, with colours."""
    random = np.random.default_rng(1)
    xyz = np.repeat(random.uniform(-2, 2, (300, 3)), 3, axis=0) + random.normal(0, 0.02, (900, 3))
    rgb = random.integers(0, 2**24, 900).astype(np.int32).view(np.float32)
    return torch.from_numpy(np.column_stack([xyz.astype(np.float32), rgb])).to(device)


def colours(points):
    words = np.ascontiguousarray(points[:, 3].cpu().numpy()).view(np.uint32)
    return np.stack([words >> 16, words >> 8 & 255, words & 255], 1)


def by_loop(points, size):
    """Mean position and colour of each cube, sorted by position."""
    cubes = defaultdict(list)
    for xyz, rgb in zip(points[:, :3].cpu().numpy(), colours(points)):
        cubes[tuple(np.floor(xyz / np.float32(size)).astype(int))].append((*xyz, *rgb))
    means = np.array([np.mean(members, 0, np.float64) for members in cubes.values()])
    return means[np.lexsort(means[:, :3].T)]


@pytest.mark.parametrize('size', [0.05, 0.3, 10.0])
def test_each_cube_has_the_mean_of_its_points(points, size):
    answer = average_voxels(points, size)
    expected = by_loop(points, size)
    assert answer.shape == (len(expected), 4) and answer.dtype == torch.float32
    order = np.lexsort(answer[:, :3].cpu().numpy().T)
    np.testing.assert_allclose(answer[:, :3].cpu().numpy()[order], expected[:, :3], atol=1e-5)
    assert np.abs(colours(answer)[order] - expected[:, 3:]).max() <= 0.51


def test_no_point_gives_none(points):
    assert average_voxels(points[:0], 0.1).shape == (0, 4)


def test_cubes_that_cannot_be_told_apart_are_refused_with_the_cure(points):
    points[0, :3] = torch.tensor([9000.0, 9000.0, 9000.0])
    with pytest.raises(
        InputError, match=r'voxel_size: 0\.001 m is too small .* points\.max_range'
    ):
        average_voxels(points, 0.001)


def test_a_cloud_of_voxels_has_no_gaps_and_heeds_the_other_limits(device):
    depth = torch.full((8, 8), 2.0, device=device)
    depth[0, 0], depth[7] = NAN, 9.0
    camera = Intrinsics(width=8, height=8, fx=400.0, fy=400.0, cx=4.0, cy=4.0)
    image = np.full((8, 8, 3), (10, 20, 30), np.uint8)
    settings = PointsSettings(voxel_size=0.5, max_range=5.0)
    cloud = make_cloud(depth, image, camera, settings)
    assert torch.isfinite(cloud[:, :3]).all()
    assert len(cloud) == 4, 'around the axis four cubes meet'
    assert cloud[:, 2].tolist() == [2.0] * 4
    assert colours(cloud).tolist() == [[10, 20, 30]] * 4


def test_a_size_below_a_millimetre_is_refused():
    with pytest.raises(ValueError, match=r'voxel_size must be 0 \(off\) or at least 0\.001'):
        PointsSettings(voxel_size=0.0001)


def test_what_comes_behind_the_colour_is_averaged_too(points):
    """Here the place itself, which is averaged as well."""
    answer = average_voxels(torch.cat([points, points[:, :1]], dim=1), 0.3)
    assert torch.allclose(answer[:, 4], answer[:, 0], atol=1e-6)
    assert torch.equal(
        answer[:, :4].view(torch.int32), average_voxels(points, 0.3).view(torch.int32)
    )
