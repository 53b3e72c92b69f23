# SPDX-License-Identifier: Apache-2.0
"""The stretched position table: against its definition, and when it is made anew."""

import depth_anything_rules as rules
import numpy as np
import pytest
import torch

from vizion3d_ros.engine.networks.depth_anything_v2.positions import (
    MOST_KEPT,
    Stretched,
    stretch,
)

pytestmark = pytest.mark.usefixtures('one_thread')


@pytest.fixture(scope='module')
def table():
    return rules.state_dict()['pretrained.pos_embed'][..., :8].contiguous()


def cubic(distance):
    """The cubic convolution kernel with a = -0.75 (Keys, IEEE TASSP 1981)."""
    a, x = -0.75, np.abs(distance)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def axis_weights(count):
    """What each of 37 cells gives to each of count places: (count, 37)."""
    places = (np.arange(count) + 0.5) * 37 / (count + 0.1) - 0.5
    weights = np.zeros((count, 37))
    for row, place in enumerate(places):
        for cell in range(int(np.floor(place)) - 1, int(np.floor(place)) + 3):
            weights[row, min(max(cell, 0), 36)] += cubic(place - cell)
    return weights


@pytest.mark.parametrize('grid', [(3, 4), (5, 2), (37, 49), (37, 36), (60, 37), (1, 1)])
def test_every_other_grid_reads_the_table_where_the_trained_networks_do(grid, table):
    square = table[0, 1:].double().numpy().reshape(37, 37, -1)
    rows, columns = (axis_weights(count) for count in grid)
    expected = np.einsum('ir,jc,rcd->ijd', rows, columns, square).reshape(-1, 8)
    found = stretch(table, grid, torch.float32)
    assert found.shape == (1, 1 + grid[0] * grid[1], 8)
    assert torch.equal(found[:, 0], table[:, 0])
    assert np.abs(found[0, 1:].numpy() - expected).max() < 2e-5


def test_the_trained_grid_is_the_table_itself(table):
    assert torch.equal(stretch(table, (37, 37), torch.float32), table)


def test_half_precision_is_rounded_once_at_the_end(table):
    exact = stretch(table, (5, 6), torch.float32)
    assert torch.equal(stretch(table, (5, 6), torch.float16), exact.half())


@torch.no_grad()
def test_a_table_is_made_once_and_kept_while_it_is_used(table):
    positions = Stretched()
    first, made = positions.get(table, (2, 3), torch.float32), {}
    for columns in range(1, 2 * MOST_KEPT):
        made[1, columns] = positions.get(table, (1, columns), torch.float32)
        assert positions.get(table, (2, 3), torch.float32) is first
    assert positions.get(table, (2, 3), torch.float16) is not first
    newest_first = [(1, columns) for columns in range(2 * MOST_KEPT - 1, 0, -1)]
    again = [positions.get(table, grid, torch.float32) is made[grid] for grid in newest_first]
    assert again == [True] * (MOST_KEPT - 2) + [False] * (len(made) - MOST_KEPT + 2)


def test_with_gradients_nothing_is_kept(table):
    positions = Stretched()
    with torch.no_grad():
        first = positions.get(table, (2, 3), torch.float32)
    learnt = table.clone().requires_grad_()
    assert positions.get(learnt, (2, 3), torch.float32).requires_grad
    with torch.no_grad():
        assert positions.get(table, (2, 3), torch.float32) is not first
