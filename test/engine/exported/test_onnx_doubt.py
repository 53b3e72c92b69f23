# SPDX-License-Identifier: Apache-2.0
"""Confidence and visibility of networks that answer neither."""

import numpy as np
import pytest
import torch
from exported_networks import stand_in

from vizion3d_ros.engine.onnx.doubt import doubt
from vizion3d_ros.engine.onnx.export.networks import BOX_PX, WALL_PX, made_up_pair

H, W = 128, 192
BOX = np.s_[H // 4 + 8 : 3 * H // 4 - 8, W // 3 + 8 : 2 * W // 3 - 8]
WALL = np.s_[3 * H // 4 + 8 : -4, W // 4 : -8]
HIDDEN = np.s_[H // 4 + 8 : 3 * H // 4 - 8, W // 3 - (BOX_PX - WALL_PX) + 1 : W // 3 - 1]


@pytest.fixture(scope='module')
def pair():
    return dict(zip(('left', 'right'), made_up_pair(H, W)))


def truth(background=WALL_PX, first=W // 3, last=2 * W // 3):
    disparity = torch.full((H, W), float(background))
    disparity[H // 4 : 3 * H // 4, first:last] = BOX_PX
    return disparity


def seen_from_right():
    return truth(first=W // 3 - BOX_PX, last=2 * W // 3 - BOX_PX)


@pytest.mark.parametrize('right', [None, seen_from_right()], ids=['by the map', 'checked'])
def test_a_right_map_is_trusted_but_for_what_the_right_camera_does_not_see(right, pair):
    maps = doubt(pair, truth(), right)
    for values in maps.values():
        assert values.dtype == torch.float32 and values.shape == (H, W)
        assert values.min() >= 0 and values.max() <= 1
    for place in (BOX, WALL):
        assert maps['confidence'][place].median() > 0.9
        assert maps['visibility'][place].median() > 0.95
    assert maps['visibility'][HIDDEN].median() < 0.5
    assert maps['confidence'][HIDDEN].median() < 0.5
    assert maps['visibility'][:, : WALL_PX - 2].max() == 0  # beside the right image


def test_a_right_view_that_disagrees_takes_the_trust(pair):
    wrong = truth(background=WALL_PX + 12)
    maps = doubt(pair, wrong, seen_from_right())
    assert maps['visibility'][WALL].median() < 0.2
    assert maps['confidence'][WALL].median() < 0.2
    assert maps['visibility'][BOX].median() > 0.9


def test_a_map_full_of_noise_is_not_trusted(pair):
    noise = torch.rand(H, W, generator=torch.Generator().manual_seed(1)) * 40
    noise[0, 0] = torch.nan
    maps = doubt(pair, noise, None)
    assert maps['confidence'].median() < 0.3
    assert not maps['confidence'].isnan().any()


def test_the_check_runs_the_mirrored_pair(match, tmp_path):
    """A network whose answer is the right image, mirrored, would be that of the left one."""
    pytest.importorskip('onnx')
    from onnx import helper

    nodes = [
        helper.make_node('ReduceMean', ['r'], ['mean'], axes=[1], keepdims=1),
        helper.make_node('Mul', ['mean', 'share'], ['d']),
    ]
    path = tmp_path / 'r.onnx'
    inputs = {'l': [1, 3, 64, 96], 'r': [1, 3, 64, 96]}
    constants = {'share': np.array(0.1, np.float32)}
    stand_in(path, inputs, nodes, {'d': [1, 1, 64, 96]}, 13, constants=constants)
    path.with_suffix('.yaml').write_text('{inputs: [{images: [left]}, {images: [right]}]}')
    left, right = (np.full((64, 96, 3), value, np.uint8) for value in (120, 60))
    unchecked, checked = (
        match(path, (left, right), left_right_check=check) for check in (False, True)
    )
    assert torch.equal(unchecked.disparity, checked.disparity)
    seen = np.s_[:, 16:]
    assert unchecked.visibility[seen].min() == 1  # 6 pixels everywhere
    assert checked.visibility[seen].max() == pytest.approx(1 / 7, abs=0.01)  # 12 from the right
