# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import torch

from vizion3d_ros.geometry.colormap import colorize

DARK, BRIGHT = (
    cv2.applyColorMap(np.uint8([[level]]), cv2.COLORMAP_VIRIDIS)[0, 0].tolist()
    for level in (0, 255)
)


def row(values, device, low=2.0, high=6.0):
    return colorize(torch.tensor([values], device=device), low, high)[0].cpu()


def test_nan_is_black_and_nothing_else_is(device):
    picture = row([float('nan'), 2.0, 6.0, -1e9, 1e9], device)
    assert picture.dtype == torch.uint8
    assert picture[0].tolist() == [0, 0, 0]
    assert (picture[1:].sum(-1) > 0).all()


def test_the_ends_of_the_range_are_the_ends_of_the_map(device):
    picture = row([2.0, 6.0], device)
    assert picture.tolist() == [DARK, BRIGHT]


def test_values_outside_are_clamped(device):
    picture = row([1.9, 2.0, 6.0, 6.1, float('-inf'), float('inf')], device)
    assert picture[0].equal(picture[1])
    assert picture[3].equal(picture[2])
    assert picture[4].equal(picture[1])
    assert picture[5].equal(picture[2])


def test_higher_is_brighter(device):
    picture = row(np.linspace(2, 6, 60).tolist(), device).numpy()
    luma = cv2.cvtColor(picture[None], cv2.COLOR_BGR2GRAY)[0].astype(int)
    assert (np.diff(luma) >= 0).all()
    assert luma[-1] - luma[0] > 150


def test_the_values_are_left_alone(device):
    values = torch.tensor([[3.0, float('nan')]], device=device)
    before = values.clone()
    colorize(values, 2.0, 6.0)
    torch.testing.assert_close(values, before, equal_nan=True)
