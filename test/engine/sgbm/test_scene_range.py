# SPDX-License-Identifier: Apache-2.0
"""Only the disparities that a scene has are tried at the size that is matched."""

import numpy as np
import pytest
from sgbm_scenes import SgbmBackend, grid, layered_pair, match, rig_of, settings_of

from vizion3d_ros.engine.sgbm.matched_size import GreyPair
from vizion3d_ros.engine.sgbm.scene_range import in_scene
from vizion3d_ros.engine.sgbm.semiglobal import NO_MATCH, STEPS

PAIR = GreyPair(*np.zeros((2, 100, 400), np.uint8), first=-16, count=160)


def found(back, front, side=10):
    """Right view at half size: a square patch in front of what is behind; in its pixels."""
    right = np.full((50, 200), NO_MATCH, np.int16)
    right[:, 20:] = back * STEPS
    right[10 : 10 + side, 60 : 60 + side] = front * STEPS
    return right


def tried(pair):
    return pair.first, pair.first + pair.count - 1


def test_what_the_right_view_shows_is_tried_and_a_margin():
    first, last = tried(in_scene(PAIR, found(back=5, front=20)))
    assert first == 10 - 4
    assert 40 + 4 <= last < 40 + 4 + 16


def test_a_few_pixels_alone_do_not_count():
    _, last = tried(in_scene(PAIR, found(back=5, front=50, side=2)))
    assert last < 50


@pytest.mark.parametrize(('back', 'front'), [(-8, 71), (0, 71), (-8, 60)])
def test_nothing_outside_the_search_is_tried(back, front):
    narrowed = in_scene(PAIR, found(back=back, front=front))
    assert narrowed.count <= PAIR.count
    assert narrowed.first >= PAIR.first


def test_without_any_match_all_of_it_is_tried():
    assert in_scene(PAIR, np.full((50, 200), NO_MATCH, np.int16)) is PAIR


def test_the_right_view_is_left_as_it_is():
    right = found(back=5, front=50, side=2)
    before = right.copy()
    in_scene(PAIR, right)
    np.testing.assert_array_equal(right, before)


def test_a_wide_search_answers_as_a_narrow_one_and_tells_its_own_range():
    left, right, truth = layered_pair(back=6, front=22, left_edge=140, right_edge=220)
    narrow = match(left, right, disparity_range=32)
    wide = match(left, right, disparity_range=128)
    assert wide.max_disparity == 127
    inside = grid()[0] >= 32
    same = np.isclose(wide.disparity, narrow.disparity, atol=0.25, equal_nan=True)
    assert same[inside].mean() > 0.98
    right_answers = np.abs(wide.disparity - truth) < 1
    assert right_answers[inside].mean() > 0.9


def test_a_nearer_thing_in_the_next_frame_is_found_by_the_same_matcher():
    backend, settings = SgbmBackend(), settings_of(disparity_range=64)
    for front in (12, 48, 12):
        left, right, truth = layered_pair(4, front, 140, 220)
        disparity = backend.match(left, right, rig_of(left), settings).disparity
        board = truth == front
        assert np.mean(np.abs(disparity[board] - front) < 1) > 0.9
