# SPDX-License-Identifier: Apache-2.0
"""Which gaps are closed, and with what."""

import numpy as np
import pytest

from vizion3d_ros.engine.sgbm.holes import fill

NAN = np.nan


def filled(row, how='narrow'):
    """Row after filling, and which of it was filled."""
    disparity = np.array([row], np.float32)
    mask = fill(disparity, how)
    return disparity[0].tolist(), mask[0].tolist()


def test_a_narrow_gap_in_one_surface_is_bridged_by_a_line():
    values, mask = filled([10, NAN, NAN, NAN, 11])
    assert values == pytest.approx([10, 10.25, 10.5, 10.75, 11])
    assert mask == [False, True, True, True, False]


def test_a_wide_gap_in_one_surface_stays_open():
    values, mask = filled([10, *[NAN] * 13, 10])
    assert np.isnan(values[1:-1]).all()
    assert not any(mask)


def test_a_strip_left_of_a_nearer_surface_belongs_to_the_one_behind():
    values, _ = filled([10, 10, *[NAN] * 14, 24, 24])
    assert values == [10, 10, *[10] * 14, 24, 24]


def test_a_gap_wider_than_what_a_jump_can_hide_stays_open():
    values, _ = filled([10, *[NAN] * 20, 24])
    assert np.isnan(values[1:-1]).all()


def test_a_gap_right_of_a_nearer_surface_is_not_hidden_and_stays_open():
    values, _ = filled([24, NAN, NAN, 10])
    assert np.isnan(values[1:-1]).all()


def test_gaps_at_the_border_stay_open():
    values, mask = filled([NAN, 10, NAN])
    assert np.isnan([values[0], values[2]]).all()
    assert not any(mask)


def test_rows_are_apart():
    disparity = np.array([[10, NAN], [NAN, 10], [NAN, NAN], [10, 10]], np.float32)
    assert not fill(disparity, 'narrow').any()


@pytest.mark.parametrize('shape', [(1, 1), (3, 1), (1, 5), (4, 6)])
@pytest.mark.parametrize('value', [NAN, 5.0])
def test_nothing_to_do(shape, value):
    disparity = np.full(shape, value, np.float32)
    assert not fill(disparity, 'narrow').any()
    np.testing.assert_array_equal(disparity, np.full(shape, value, np.float32))


def test_many_gaps_at_once():
    rng = np.random.default_rng(0)
    truth = np.repeat(np.linspace(5, 9, 50, dtype=np.float32)[None], 40, axis=0)
    holed = np.where(rng.random(truth.shape) < 0.3, np.float32(NAN), truth)
    mask = fill(holed, 'narrow')
    assert mask.sum() > 400
    np.testing.assert_allclose(holed[mask], truth[mask], atol=1e-5)


def test_nothing_is_closed_unless_asked_for():
    values, mask = filled([10, NAN, 10], 'none')
    assert np.isnan(values[1])
    assert mask == [False] * 3


@pytest.mark.parametrize(
    ('row', 'closed'),
    [
        ([10, *[NAN] * 20, 24], [10] * 21 + [24]),  # too wide to be hidden by the jump
        ([24, NAN, NAN, 10], [24, 10, 10, 10]),
        ([NAN, NAN, 10, NAN], [10, 10, 10, 10]),
        ([10, *[NAN] * 19, 12], np.linspace(10, 12, 21)),  # one slanted surface
    ],
)
def test_dense_leaves_no_gap_and_prefers_what_is_behind(row, closed):
    values, mask = filled(row, 'dense')
    assert values == pytest.approx(list(closed))
    assert mask == np.isnan(row).tolist()


def test_a_row_without_any_value_is_as_the_nearest_one():
    disparity = np.array([[NAN, NAN], [5, NAN], [NAN, NAN], [NAN, NAN], [NAN, 9]], np.float32)
    mask = fill(disparity, 'dense')
    assert disparity.tolist() == [[5, 5], [5, 5], [5, 5], [9, 9], [9, 9]]
    assert mask.sum() == 8


def test_a_map_without_any_value_stays_so():
    assert not fill(np.full((3, 4), NAN, np.float32), 'dense').any()
