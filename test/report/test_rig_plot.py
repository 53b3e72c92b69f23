# SPDX-License-Identifier: Apache-2.0
"""The plot of a rig: axes, curves and the green of usable depths where they belong."""

import numpy as np
import pytest

from vizion3d_ros.geometry.rig_table import Camera, Matching, RigTable
from vizion3d_ros.report.diagram import (
    BAND,
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Curve,
    diagram,
)
from vizion3d_ros.report.rig_plot import HEADER, rig_plot

CAMERA = Camera(focal_mm=2.8, pixel_um=3.0, width=1600, height=1300)
RED = (10, 20, 200)
LINES = ('a rig', 'its range')


def test_an_axis_is_logarithmic_and_ends_at_its_ends():
    axis = Axis(10, 1000, 100, 300)
    assert [axis.place(value) for value in (10, 100, 1000)] == pytest.approx([100, 200, 300])
    assert [axis.place(value) for value in (1, 5000)] == [100, 300]


def test_ticks_are_round_numbers_within_the_axis():
    ticks = Axis(30, 400, 0, 1).ticks()
    assert [value for value, _ in ticks] == [*range(30, 100, 10), 100, 200, 300, 400]
    assert [value for value, labelled in ticks if labelled] == [30, 50, 70, 100, 200, 300]
    assert [value for value, labelled in Axis(1, 1e6, 0, 1).ticks() if labelled] == [
        10.0**power for power in range(7)
    ]


def test_a_curve_and_the_band_lie_where_their_numbers_say():
    flat = Curve('', RED, lambda x: 10.0)
    steep = Curve('', (0, 0, 0), lambda x: x)
    picture = diagram('', '', [steep, flat], (1.0, 100.0), (10.0, 50.0))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    middle = (TOP + BOTTOM) // 2
    np.testing.assert_array_equal(picture[middle, LEFT + 100], RED)
    x = Axis(1.0, 100.0, LEFT, RIGHT)
    row = picture[TOP + 3 : BOTTOM - 3]
    green = (row == BAND).all(axis=2).any(axis=0).nonzero()[0]
    assert (green.min(), green.max()) == pytest.approx((x.place(10), x.place(50)), abs=3)


def test_the_plot_has_two_diagrams_below_its_lines():
    table = RigTable(camera=CAMERA, baseline_mm=65, matching=Matching(scale=0.5))
    picture = rig_plot(table, [300.0, 1000.0, 3000.0], 0.05, LINES)
    assert picture.shape == (HEADER + HEIGHT, 2 * WIDTH, 3)
    green = (picture == BAND).all(axis=2)
    assert green[:, :WIDTH].any() and green[:, WIDTH:].any()


def test_nothing_is_green_where_no_depth_is_usable():
    matching = Matching(max_disparity=5)
    table = RigTable(camera=CAMERA, baseline_mm=65, matching=matching)
    assert not (rig_plot(table, [1000.0], 0.01, LINES) == BAND).all(axis=2).any()
