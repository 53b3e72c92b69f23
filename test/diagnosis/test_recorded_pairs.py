# SPDX-License-Identifier: Apache-2.0
"""Recorded pairs as they are get no word on rows and sides; three rows more do."""

import numpy as np
import pytest

from vizion3d_ros.contracts.calibration.wording import NODE
from vizion3d_ros.diagnosis.alignment import explain_alignment, rows_off
from vizion3d_ros.diagnosis.matches import GreyPair, find_matches
from vizion3d_ros.diagnosis.views import shrink, to_grey
from vizion3d_ros.files.pair import load_pair

NAMES = ('kitti2015_000005', 'motorcycle', 'pendulum', 'playground_1l', 'teddy_half', 'wood2')


@pytest.fixture(params=NAMES)
def pair(request, data_dir):
    return load_pair(data_dir / request.param)


def matches_of(left, right):
    left, right = to_grey(left), to_grey(right)
    (small_left, factor), (small_right, _) = shrink(left), shrink(right)
    return find_matches(GreyPair(left, right, small_left, small_right, factor))


def said(matches, pair):
    return '; '.join(explain_alignment(matches, pair.left.shape, pair.rig.doffs, NODE))


def test_a_pair_as_it_is_gets_no_word(pair):
    assert said(matches_of(pair.left, pair.right), pair) == ''


@pytest.mark.parametrize('rows', [3, -3])
def test_rows_that_differ_by_three_are_told(pair, rows):
    own = rows_off(matches_of(pair.left, pair.right))  # pendulum has two of its own
    shift = rows - round(own)
    text = said(matches_of(pair.left, np.roll(pair.right, shift, 0)), pair)
    assert f'px {"lower" if rows > 0 else "higher"} than the left one' in text


def test_swapped_sides_are_told(pair):
    if pair.rig.doffs > 100:
        pytest.skip('no disparity of this one is negative: see test_depth_edges.py')
    assert 'swapped' in said(matches_of(pair.right, pair.left), pair)
