# SPDX-License-Identifier: Apache-2.0
"""The published table of a 65 mm rig, and depth errors against the exact relation."""

import math

import pytest
from pydantic import ValidationError

from vizion3d_ros.geometry.rig_table import Camera, Matching, RigTable

CAMERA = Camera(focal_mm=2.8, pixel_um=3.0, width=1600, height=1300)
FULL = RigTable(camera=CAMERA, baseline_mm=65.0)
HALF = RigTable(camera=CAMERA, baseline_mm=65.0, matching=Matching(scale=0.5))

# As the maker of such a rig published it. All but one are cut off after two digits; 60.64 is
# neither cut off nor rounded from 60.667.
PUBLISHED = {
    200: 303.33,
    300: 202.22,
    400: 151.66,
    500: 121.33,
    750: 80.88,
    1000: 60.64,
    2000: 30.33,
    3000: 20.22,
    4000: 15.16,
    5000: 12.13,
}


@pytest.mark.parametrize('depth_mm', PUBLISHED)
def test_the_published_table_comes_out(depth_mm):
    disparity = FULL.row(depth_mm).disparity
    assert disparity == pytest.approx(PUBLISHED[depth_mm], abs=0.05)
    if depth_mm != 1000:
        assert math.floor(100 * disparity) / 100 == pytest.approx(PUBLISHED[depth_mm], abs=1e-9)


def test_the_published_range_at_half_the_size_is_usable():
    assert HALF.matched_size == (800, 650)
    assert 200 < HALF.nearest_mm < 300
    assert 3000 < HALF.farthest_mm(0.05) < 4000


@pytest.mark.parametrize('depth_mm', [300.0, 1000.0, 3000.0])
def test_step_and_error_follow_from_disparity_and_depth(depth_mm):
    row = HALF.row(depth_mm)
    assert row.matched * depth_mm == pytest.approx(HALF.focal_baseline)
    for change, found in ((1 / 16, row.step_mm), (0.5, row.error_mm)):
        nearer, farther = (HALF.focal_baseline / (row.matched + d) for d in (change, -change))
        exact = (farther - nearer) / 2
        assert found == pytest.approx(exact, rel=1.01 * (change / row.matched) ** 2 + 1e-9)


def test_the_farthest_depth_has_just_the_largest_error():
    for share in (0.01, 0.05, 0.1):
        assert HALF.row(HALF.farthest_mm(share)).error_share == pytest.approx(share)


def test_the_nearest_depth_has_just_the_largest_disparity():
    narrow = RigTable(camera=CAMERA, baseline_mm=65.0, matching=Matching(max_disparity=160))
    assert narrow.row(narrow.nearest_mm).matched == pytest.approx(160)
    assert narrow.shared_view == pytest.approx(0.9)
    assert (FULL.max_disparity, HALF.max_disparity) == (207, 111)


def test_a_size_that_does_not_divide_uses_the_true_width_ratio():
    camera = Camera(focal_mm=3, pixel_um=3, width=333, height=100)
    table = RigTable(camera=camera, baseline_mm=100, matching=Matching(scale=0.5))
    assert table.matched_size[0] == 166
    assert table.focal_baseline == pytest.approx(1000 * 166 / 333 * 100)


def test_the_angle_of_view_is_that_of_lens_and_sensor():
    assert CAMERA.focal_px == pytest.approx(933.3333, abs=1e-4)
    assert math.tan(math.radians(CAMERA.hfov_deg / 2)) == pytest.approx(4.8 / 2 / 2.8)


@pytest.mark.parametrize('value', [0, -1, math.inf, math.nan, 1e300])
def test_what_is_no_rig_is_refused(value):
    with pytest.raises(ValidationError, match='focal_mm'):
        Camera(focal_mm=value, pixel_um=3, width=10, height=10)
    with pytest.raises(ValidationError, match='baseline_mm'):
        RigTable(camera=CAMERA, baseline_mm=value)
