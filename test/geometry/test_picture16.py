# SPDX-License-Identifier: Apache-2.0
"""The 16-bit picture: nearer is brighter, as the contract's formula says."""

import numpy as np
import torch

from vizion3d_ros.geometry.picture16 import picture_of_depth, picture_of_inverse_depth


def test_depth_is_white_where_nearest_and_black_where_farthest_or_missing(device):
    depth = torch.tensor([[1.0, 2.0, 3.0, 5.0, torch.nan]], device=device)
    picture = picture_of_depth(depth, 1.0, 5.0).cpu().numpy()
    assert picture.dtype == np.uint16
    np.testing.assert_array_equal(picture, [[65535, round(0.75 * 65535), 32768, 0, 0]])


def test_inverse_depth_is_white_where_largest(device):
    relative = torch.tensor([[0.0, 2.0, 8.0]], device=device)
    picture = picture_of_inverse_depth(relative, 0.0, 8.0).cpu().numpy()
    np.testing.assert_array_equal(picture, [[0, 16384, 65535]])


def test_a_flat_map_is_no_fault():
    flat = torch.full((2, 2), 3.0)
    assert (picture_of_depth(flat, 3.0, 3.0).numpy() == 65535).all()
    assert (picture_of_inverse_depth(flat, 3.0, 3.0).numpy() == 0).all()


def test_without_a_valid_pixel_all_is_black():
    assert (picture_of_depth(torch.full((2, 2), torch.nan), 0.0, 0.0).numpy() == 0).all()


def test_the_map_is_left_alone():
    depth = torch.tensor([[1.0, torch.nan]])
    picture_of_depth(depth, 1.0, 2.0)
    assert depth[0, 0] == 1 and depth[0, 1].isnan()
