# SPDX-License-Identifier: Apache-2.0
"""Which disparities are searched."""

import pytest

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.settings.stereo_settings import SgbmSettings, StereoSettings
from vizion3d_ros.engine.sgbm.search_range import find_search_range, scaled_range


def make_rig(width=640, baseline_m=0.1, doffs=0.0):
    left = Intrinsics(width=width, height=480, fx=500, fy=500, cx=width / 2, cy=240)
    return StereoRig(left=left, baseline_m=baseline_m, doffs=doffs)


def depths(near, far):
    return StereoSettings(min_depth=near, max_depth=far)


def explicit(first, count):
    return StereoSettings(sgbm=SgbmSettings(min_disparity=first, disparity_range=count))


def test_depths_become_disparities():
    found = find_search_range(make_rig(), depths(0.5, 5.0))
    assert (found.low, found.high) == pytest.approx((10.0, 100.0))
    assert found.note == ''


@pytest.mark.parametrize('near', [0.31, 0.5, 0.77, 2.0])
@pytest.mark.parametrize('far', [3.0, 9.9, 50.0])
@pytest.mark.parametrize('doffs', [-20.0, 0.0, 31.086])
def test_whole_blocks_cover_the_depths(near, far, doffs):
    found = find_search_range(make_rig(doffs=doffs), depths(near, far))
    assert found.count % 16 == 0
    assert found.first <= 50 / far - doffs
    assert found.first + found.count - 1 >= 50 / near - doffs
    assert found.count < 50 / near - 50 / far + 2 + 16


def test_a_verged_rig_searches_negative_disparities():
    found = find_search_range(make_rig(doffs=30.0), depths(1.0, 10.0))
    assert (found.low, found.high) == pytest.approx((-25.0, 20.0))
    assert found.first == -25


def test_an_explicit_range_is_taken_as_it_is():
    found = find_search_range(make_rig(doffs=30.0), explicit(-8, 64))
    assert (found.first, found.count, found.low, found.high) == (-8, 64, -8, 55)


def test_without_a_baseline_128_disparities_are_searched_and_told():
    found = find_search_range(make_rig(baseline_m=None), StereoSettings())
    assert (found.first, found.count) == (0, 128)
    assert 'baseline_m' in found.note
    assert 'sgbm.disparity_range' in found.note


@pytest.mark.parametrize(('width', 'count'), [(100, 96), (64, 48), (16, 16), (8, 16)])
def test_without_a_baseline_a_small_image_limits_the_search(width, count):
    found = find_search_range(make_rig(width, baseline_m=None), StereoSettings())
    assert found.count == count
    assert found.high < width


def test_a_range_beyond_the_image_is_clamped_and_the_nearest_depth_told():
    found = find_search_range(make_rig(width=101), depths(0.1, 10.0))
    assert found.high == 100
    assert '0.5 m' in found.note


def test_an_explicit_range_beyond_the_image_is_clamped_and_told():
    found = find_search_range(make_rig(width=101), explicit(0, 256))
    assert found.high == 100
    assert '0 to 255' in found.note


def test_a_range_outside_the_image_is_refused():
    with pytest.raises(BackendError, match='min_depth and max_depth'):
        find_search_range(make_rig(width=100), depths(0.1, 0.2))
    with pytest.raises(BackendError, match='disparity_range'):
        find_search_range(make_rig(width=100), explicit(400, 16))


def test_what_the_matcher_can_count_limits_wide_images():
    found = find_search_range(make_rig(width=8000), explicit(0, 4096))
    assert (found.first + found.count) * 16 < 2**15


def test_scaling_covers_the_scaled_range():
    first, count = scaled_range(-25, 64, 320 / 641)
    assert first <= -25 * 320 / 641
    assert first + count - 1 >= 38 * 320 / 641
    assert count % 16 == 0
