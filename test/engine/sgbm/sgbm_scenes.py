# SPDX-License-Identifier: Apache-2.0
"""Stereo pairs of known disparity, in closed form or recorded, and a short way to match them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.results import Match
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.engine.sgbm.matcher import SgbmBackend

WIDTH, HEIGHT = 320, 160
RECORDINGS = ('motorcycle', 'teddy_half', 'playground_1l', 'kitti2015_000005', 'wood2')


def grid(width: int = WIDTH, height: int = HEIGHT) -> tuple[np.ndarray, np.ndarray]:
    """Column and row of every pixel, float64 (height, width)."""
    columns, rows = np.meshgrid(np.arange(width, dtype=float), np.arange(height, dtype=float))
    return columns, rows


def texture(x: np.ndarray, y: np.ndarray, seed: int = 0) -> np.ndarray:
    """Band-limited grey levels at any real position: waves of 4 to 40 px, float64."""
    rng = np.random.default_rng(seed)
    total = np.zeros_like(x)
    for wavelength in np.geomspace(4, 40, 40):
        angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
        total += np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / wavelength + phase)
    return 128 + 20 * total / 2


def to_image(levels: np.ndarray) -> np.ndarray:
    """Round to uint8."""
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def surface_pair(disparity: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Left and right view of one textured surface; disparity (H, W) of the left view, px."""
    x, y = grid(disparity.shape[1], disparity.shape[0])
    return to_image(texture(x - disparity, y, seed)), to_image(texture(x, y, seed))


def layered_pair(
    back: float, front: float, left_edge: int, right_edge: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A vertical board from left_edge to right_edge in front of a wall: left, right, truth."""
    x, y = grid()
    board_left = (x >= left_edge) & (x < right_edge)
    board_right = (x >= left_edge - front) & (x < right_edge - front)
    left = np.where(board_left, texture(x - front, y, 1), texture(x - back, y, 2))
    right = np.where(board_right, texture(x, y, 1), texture(x, y, 2))
    return to_image(left), to_image(right), np.where(board_left, front, back)


def noisy(image: np.ndarray, sigma: np.ndarray | float, seed: int) -> np.ndarray:
    """Add Gaussian noise of sigma grey levels."""
    noise = np.random.default_rng(seed).normal(0, 1, image.shape) * sigma
    return to_image(image + noise)


def rig_of(image: np.ndarray, baseline_m: float | None = None, doffs: float = 0.0) -> StereoRig:
    """A rig of fx 100 px for images of this size."""
    height, width = image.shape[:2]
    left = Intrinsics(width=width, height=height, fx=100, fy=100, cx=width / 2, cy=height / 2)
    return StereoRig(left=left, baseline_m=baseline_m, doffs=doffs)


def settings_of(**sgbm: object) -> StereoSettings:
    """Default settings with 64 disparities from zero, and what is given."""
    return StereoSettings.model_validate({'sgbm': {'disparity_range': 64, **sgbm}})


def match(left: np.ndarray, right: np.ndarray, **sgbm: object) -> Match:
    """Match with a fresh backend."""
    return SgbmBackend().match(left, right, rig_of(left), settings_of(**sgbm))


def recording(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Left and right view and true disparities, NaN = unknown; skips the test if not there."""
    if not (folder / 'disparity.npz').exists():
        pytest.skip(f'needs {folder}/disparity.npz')
    left, right = (cv2.imread(str(folder / f'{side}.png')) for side in ('left', 'right'))
    return left, right, np.load(folder / 'disparity.npz')['disparity']
