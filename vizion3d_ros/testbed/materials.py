# SPDX-License-Identifier: Apache-2.0
"""
Paints the textures of the synthetic scene: RGB uint8 (h, w, 3) pictures from a random generator.

All are multi-octave noise, as natural images are, plus a pattern. The finest octave is about
three texels long, so that sampling one texel per pixel loses nothing and invents nothing.
`density` is in texels per metre.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

FloatMap = NDArray[np.float32]
Picture = NDArray[np.uint8]
Size = tuple[int, int]

# Texels per noise knot of the finest octave; bicubic interpolation makes waves of twice that.
FINEST = 1.5
# Far to near: haze, a wood, a field of corn, a meadow, bushes.
RIDGES = ((120, 140, 176), (92, 124, 116), (206, 178, 92), (104, 146, 66), (50, 84, 52))


def fractal(size: Size, rng: Generator, coarsest: float, stretch: float = 1.0) -> FloatMap:
    """
    Noise (h, w) of zero mean and unit deviation, all octaves up to `coarsest` texels alike.

    stretch > 1 draws it out along the rows' direction (down), as grain in wood.
    """
    height, width = size
    total = np.zeros(size, np.float32)
    knot = FINEST
    while knot <= coarsest:
        grid = (int(height / knot / stretch) + 3, int(width / knot) + 3)
        knots = rng.standard_normal(grid).astype(np.float32)
        total += cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC)
        knot *= 2
    return ((total - total.mean()) / max(float(total.std()), 1e-6)).astype(np.float32)


def planks(size: Size, density: float, rng: Generator) -> Picture:
    """Lay floor boards that run down the picture, uint8 (h, w, 3) RGB."""
    board = 0.16 * density
    length = 1.3 * density
    rows, cols = np.indices(size, dtype=np.float32)
    column = (cols / board).astype(np.int64)
    rows += rng.uniform(0, length, column.max() + 1)[column].astype(np.float32)
    row = (rows / length).astype(np.int64)
    tone = rng.normal(0, 0.11, (int(row.max()) + 1, int(column.max()) + 1))[row, column]
    grain = fractal(size, rng, 0.2 * density, stretch=7) * 0.1
    dirt = fractal(size, rng, 0.3 * density) * 0.06
    gap = _joint(cols / board, 0.006 / 0.16) + _joint(rows / length, 0.006 / 1.3)
    light = (0.62 + tone + grain + dirt) * (1 - 0.6 * np.minimum(gap, 1))
    return _paint(light, (232, 178, 122))


def bricks(size: Size, density: float, rng: Generator) -> Picture:
    """Stack bricks in running bond, uint8 (h, w, 3) RGB."""
    width, height = 0.3 * density, 0.1 * density
    rows, cols = np.indices(size, dtype=np.float32)
    row = (rows / height).astype(np.int64)
    cols += (row % 2).astype(np.float32) * width / 2
    column = (cols / width).astype(np.int64)
    tone = rng.normal(0, 0.15, (int(row.max()) + 1, int(column.max()) + 1))[row, column]
    joint = np.minimum(_joint(cols / width, 0.06) + _joint(rows / height, 0.18), 1)[..., None]
    rough = fractal(size, rng, 0.5 * density) * 0.12
    face = _paint(0.62 + tone + rough, (214, 128, 98)) * (1 - joint)
    mortar = _paint(0.72 + rough, (205, 198, 186)) * joint
    return (face + mortar).astype(np.uint8)


def plaster(size: Size, density: float, rng: Generator, colour: tuple[int, int, int]) -> Picture:
    """Cover with rough, stained plaster, uint8 (h, w, 3) RGB."""
    rough = fractal(size, rng, 0.15 * density) * 0.075
    stain = fractal(size, rng, 1.2 * density) * 0.09
    return _paint(0.74 + rough + stain, colour)


def books(size: Size, density: float, rng: Generator) -> Picture:
    """Fill shelves with books of all sizes and colours, uint8 (h, w, 3) RGB."""
    picture = plaster(size, density, rng, (92, 66, 46))
    shelf = max(int(0.36 * density), 4)
    rough = 1 + fractal(size, rng, 0.1 * density)[..., None] * 0.1
    for bottom in range(shelf, size[0] + shelf, shelf):
        right = 0
        while right < size[1]:
            left, right = right, right + max(int(rng.uniform(0.025, 0.075) * density), 2)
            top = bottom - int(rng.uniform(0.62, 0.9) * shelf)
            spine = slice(max(top, 0), bottom - max(shelf // 14, 1)), slice(left, right - 1)
            picture[spine] = _hue(rng.uniform(0, 180), rng.uniform(40, 140), rng.uniform(90, 240))
            label = slice(max(top + shelf // 8, 0), max(top + shelf // 5, 0)), spine[1]
            picture[label] = _hue(rng.uniform(15, 35), 60, 235)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.6) * rough, 0, 255).astype(np.uint8)


def landscape(size: Size, density: float, rng: Generator) -> Picture:
    """Paint a framed sky and ridges, darker the nearer, uint8 (h, w, 3) RGB."""
    height, width = size
    sky = np.linspace(0, 1, height)[:, None, None]
    picture = (1 - sky) * (86, 140, 205) + sky * (255, 214, 160) + np.zeros((1, width, 1))
    rows = np.arange(height)[:, None]
    for ridge, tone in enumerate(RIDGES):
        profile = fractal((1, width), rng, width / 2) * height * 0.07
        line = height * (0.36 + 0.14 * ridge) + cv2.GaussianBlur(profile, (0, 0), width / 60)
        picture = np.where((rows > line)[..., None], tone, picture)
    picture *= 1 + 0.13 * fractal(size, rng, 0.25 * density)[..., None]
    framed = np.clip(picture, 0, 255).astype(np.uint8)
    return _frame(framed, max(int(0.035 * density), 2), (74, 52, 36))


def crate(size: Size, density: float, rng: Generator) -> Picture:
    """Nail boards to a crate's side, with a border and a brace, uint8 (h, w, 3) RGB."""
    height, width = size
    rows, cols = np.indices(size, dtype=np.float32)
    board = height / 5
    tone = rng.normal(0, 0.09, 8)[(rows / board).astype(np.int64)]
    grain = fractal((width, height), rng, 0.12 * density, stretch=6).T * 0.13
    light = (0.7 + tone + grain) * (1 - 0.5 * _joint(rows / board, 0.05))
    rim = np.minimum(np.minimum(rows, height - rows), np.minimum(cols, width - cols)) / height
    brace = np.abs(rows / height - cols / width)
    raised = (rim < 0.11) | (brace < 0.08)
    edge = np.minimum(np.abs(rim - 0.11), np.abs(brace - 0.08)) < 0.012
    light = np.where(raised, 0.82 + grain, light) - 0.25 * edge
    stains = fractal(size, rng, 0.3 * density) * 0.06
    return _paint(light + stains, (250, 204, 138))


def beach_ball(size: Size, density: float, rng: Generator) -> Picture:
    """Sew six sectors around a white cap, a sphere's equal-area map, uint8 (h, w, 3) RGB."""
    y, x = (np.indices(size, dtype=np.float32) + 0.5) / (np.array(size) / 4)[:, None, None] - 2
    sector = ((np.arctan2(y, x) / np.pi + 1) * 3).astype(np.int64) % 6
    colours = np.array(
        [(232, 62, 56), (250, 246, 236), (44, 116, 206), (252, 204, 52), (250, 246, 236),
         (52, 164, 92)]
    )  # fmt: skip
    picture = colours[sector].astype(np.float32)
    picture[np.hypot(x, y) < 0.22] = (250, 246, 236)
    picture *= 0.9 + 0.11 * fractal(size, rng, 0.15 * density)[..., None]
    return cv2.GaussianBlur(np.clip(picture, 0, 255), (0, 0), 0.7).astype(np.uint8)


def marble(size: Size, density: float, rng: Generator) -> Picture:
    """Cut veined blue stone, uint8 (h, w, 3) RGB."""
    bend = fractal(size, rng, 0.3 * density)
    vein = np.exp(-np.abs(fractal(size, rng, 0.2 * density)) * 6) * 0.4
    return _paint(0.6 + 0.16 * bend + vein, (98, 156, 214))


def bands(size: Size, density: float, rng: Generator) -> Picture:
    """Paint red and white bands across a surveyor's rod, uint8 (h, w, 3) RGB."""
    band = (np.arange(size[0]) / (0.2 * density)).astype(np.int64) % 2
    colour = np.where(band[:, None, None], (214, 60, 48), (240, 236, 226))
    wear = 0.88 + 0.14 * fractal(size, rng, 0.2 * density)
    return np.clip(colour * wear[..., None], 0, 255).astype(np.uint8)


def hang(picture: Picture, wall: Picture, left: float, top: float) -> None:
    """
    Copy a picture onto a wall, both uint8 (h, w, 3) of one density.

    left, top: where its corner comes, in shares of the wall's width and height.
    """
    row, col = int(top * wall.shape[0]), int(left * wall.shape[1])
    target = wall[row : row + picture.shape[0], col : col + picture.shape[1]]
    target[...] = picture[: target.shape[0], : target.shape[1]]


def darken_rim(picture: Picture, density: float) -> Picture:
    """Dim the decimetres along the edges of (h, w, 3), as light does in corners of a room."""
    rows, cols = (
        np.minimum(np.arange(n), np.arange(n)[::-1]) / np.float32(density)
        for n in picture.shape[:2]
    )
    light = [1 - 0.38 * np.exp(-distance / 0.3) for distance in (rows, cols)]
    factor = np.outer(*light).astype(np.float32)[..., None]
    return (picture * factor).astype(np.uint8)


def darken_spot(
    picture: Picture, centre: tuple[float, float], radius: float, strength: float
) -> None:
    """
    Dim a round spot of a picture (h, w, 3) in place.

    centre: (x, y) in texels; at `radius` texels from it the spot is half as dark.
    """
    rows, cols = (np.arange(n, dtype=np.float32) for n in picture.shape[:2])
    squares = np.add.outer((rows - centre[1]) ** 2, (cols - centre[0]) ** 2)
    dark = strength * np.exp(squares * np.float32(-0.7 / radius**2))
    picture[...] = (picture * (1 - dark[..., None])).astype(np.uint8)


def _paint(light: NDArray[np.floating], colour: tuple[int, int, int]) -> Picture:
    """Scale a colour by a brightness (h, w) where 0.8 stands for the colour itself."""
    scaled = light[..., None].astype(np.float32) * (np.array(colour, np.float32) / 0.8)
    return np.clip(scaled, 0, 255).astype(np.uint8)


def _joint(position: FloatMap, width: float) -> FloatMap:
    """Soft lines at whole positions, `width` wide, 1 in their middle."""
    distance = np.abs(position - np.round(position))
    return np.clip(1.5 - distance / np.float32(width / 2), 0, 1).astype(np.float32)


def _hue(hue: float, saturation: float, value: float) -> NDArray[np.uint8]:
    pixel = np.array([[[hue, saturation, value]]], np.uint8)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0].astype(np.uint8, copy=False)


def _frame(picture: Picture, width: int, colour: tuple[int, int, int]) -> Picture:
    picture[:width], picture[-width:] = colour, colour
    picture[:, :width], picture[:, -width:] = colour, colour
    return picture
