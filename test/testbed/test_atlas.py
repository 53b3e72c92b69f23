# SPDX-License-Identifier: Apache-2.0
"""Textures keep their place and their sharpness at every step of size."""

import cv2
import numpy as np
import pytest

from vizion3d_ros.testbed.atlas import MOST_ROWS, AtlasBuilder, place

DENSITY = 100.0


def ramp(height=120, width=200):
    """A texture whose red is the column and whose green is the row."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0], picture[..., 1] = np.arange(width), np.arange(height)[:, None]
    return picture


@pytest.mark.parametrize('pixels_per_texel', [0.5, 1.0, 2.0, 3.0, 8.0])
def test_every_step_shows_the_same_place(pixels_per_texel):
    builder = AtlasBuilder()
    builder.add(np.full((50, 80, 3), 255, np.uint8), DENSITY)
    texture = builder.add(ramp(), DENSITY)
    footprint = np.full(256, pixels_per_texel / DENSITY, np.float32)
    s, t = np.meshgrid(np.float32([0.4, 0.9, 1.5]), np.float32([0.3, 0.7]))
    columns, rows = place(texture, footprint, np.zeros(s.shape, np.uint8), s, t)
    seen = cv2.remap(builder.picture, columns, rows, cv2.INTER_LINEAR)
    np.testing.assert_allclose(seen[..., 0], s * DENSITY - 0.5, atol=1.1)
    np.testing.assert_allclose(seen[..., 1], t * DENSITY - 0.5, atol=1.1)


def test_a_texel_is_about_one_pixel():
    texture = AtlasBuilder().add(ramp(), DENSITY)
    footprint = np.float32([0.01, 0.013, 0.02, 0.05])
    density, _ = texture.tables(footprint)
    assert np.all(np.abs(np.log2(density * footprint)) <= 0.2501)


def test_many_textures_stay_addressable_and_apart():
    builder = AtlasBuilder()
    textures = [
        builder.add(np.full((4000, 8, 3), shade, np.uint8), DENSITY) for shade in range(1, 13)
    ]
    atlas = builder.picture
    assert atlas.shape[0] <= MOST_ROWS
    for shade, texture in enumerate(textures, start=1):
        step = atlas[int(texture.first_rows[0]) :, texture.first_column :][:4000, :8]
        assert np.all(step == shade)
