# SPDX-License-Identifier: Apache-2.0
"""Draws shapes into one view: colour by painter's blending, depth by the nearest hit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.testbed import atlas
from vizion3d_ros.testbed.shapes import Quad, Shape
from vizion3d_ros.testbed.trace import (
    Layer,
    affine,
    plane_coefficients,
    quad_window,
    trace,
)
from vizion3d_ros.testbed.view import Matrix, Vector, View, Window

FloatMap = NDArray[np.float32]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shadow:
    """A soft round shadow on a room wall: half as strong `radius` metres from its centre."""

    wall: Quad
    centre: Vector
    radius: float
    strength: float


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture in the making: rgb (H, W, 3) and inverse_depth (H, W) in 1/m."""

    rgb: Picture
    inverse_depth: FloatMap


def render(
    view: View,
    textures: Picture,
    room: Sequence[Quad],
    shadows: Sequence[Shadow],
    shapes: Sequence[Shape],
) -> Canvas:
    """
    Draw a view from inside a convex room whose walls hide nothing but what is outside.

    textures: the atlas, RGB uint8 (rows, columns, 3).
    """
    canvas = _draw_room(view, textures, room)
    for shadow in shadows:
        _draw_shadow(view, canvas, shadow)
    layers = [layer for layer in (trace(view, shape) for shape in shapes) if layer is not None]
    for layer in sorted(layers, key=lambda layer: float(layer.inverse_depth.mean())):
        _draw_layer(canvas, textures, layer, view.camera.fx)
    return canvas


def _draw_room(view: View, textures: Picture, room: Sequence[Quad]) -> Canvas:
    camera = view.camera
    shape = (camera.height, camera.width)
    nearest = np.zeros(shape, np.float32)
    columns, rows = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    walls = [plane_coefficients(view, wall) for wall in room]
    for wall, coefficients in zip(room, walls, strict=True):
        window = _wall_window(view, coefficients[0], [other[0] for other in walls])
        if window.empty:
            continue
        x, y = view.rays(window)
        inverse_depth = affine(coefficients[0], x, y)
        seen = (inverse_depth > nearest[window]).view(np.uint8)
        depth = cv2.divide(1.0, inverse_depth)
        s, t = (affine(row, x, y) * depth for row in coefficients[1:])
        footprint = _wall_footprint(view, coefficients[0])
        index = atlas.depth_index(inverse_depth)
        places = atlas.place(wall.texture, footprint, index, s, t)
        for target, values in zip((columns, rows, nearest), (*places, inverse_depth), strict=True):
            cv2.copyTo(values, seen, target[window])
    rgb = cv2.remap(textures, columns, rows, cv2.INTER_LINEAR)
    return Canvas(rgb.astype(np.uint8, copy=False), nearest)


def _wall_footprint(view: View, inverse_depth: Vector) -> FloatMap:
    """Metres of wall under a pixel, tabulated over depth: its width, and a part of its height."""
    depth = atlas.tabulated_depth()
    wide = np.hypot(1, inverse_depth[0] * depth)
    high = np.hypot(1, inverse_depth[1] * depth)
    return (depth / view.camera.fx * wide * np.sqrt(high)).astype(np.float32)


def _wall_window(view: View, wall: Vector, walls: Sequence[Vector]) -> Window:
    """Pixels where this wall may be the nearest: the view clipped by one line per other wall."""
    x, y = view.rays(view.full_window)
    polygon = np.array([[i, j, 1.0] for i, j in zip(x[[0, -1, -1, 0]], y[[0, 0, -1, -1]])])
    for other in walls:
        if other is not wall and len(polygon):
            polygon = _clip(polygon, wall - other)
    if not len(polygon):
        return Window(slice(0, 0), slice(0, 0))
    return view.window(polygon[:, 0], polygon[:, 1])


def _clip(polygon: Matrix, line: Vector) -> Matrix:
    """Keep the part of a convex polygon (n, 3) where line . point >= 0 (Sutherland-Hodgman)."""
    kept = []
    side = polygon @ line
    for i, point in enumerate(polygon):
        if side[i - 1] * side[i] < 0:
            share = side[i - 1] / (side[i - 1] - side[i])
            kept.append(polygon[i - 1] + share * (point - polygon[i - 1]))
        if side[i] >= 0:
            kept.append(point)
    return np.array(kept).reshape(-1, 3)


def _draw_shadow(view: View, canvas: Canvas, shadow: Shadow) -> None:
    wall, reach = shadow.wall, 5 * shadow.radius
    patch = Quad(shadow.centre, wall.right, wall.down, (reach, reach), wall.texture)
    window = quad_window(view, patch)
    if window.empty:
        return
    x, y = view.rays(window)
    inverse_depth, s, t = (affine(row, x, y) for row in plane_coefficients(view, patch))
    s, t = (place / inverse_depth - np.float32(reach / 2) for place in (s, t))
    squares = s * s + t * t
    dark = np.float32(shadow.strength) * np.exp(squares * np.float32(-0.7 / shadow.radius**2))
    dark[inverse_depth < canvas.inverse_depth[window] * np.float32(1 - 1e-5)] = 0
    _multiply(canvas.rgb[window], 1 - dark)


def _draw_layer(canvas: Canvas, textures: Picture, layer: Layer, focal_px: float) -> None:
    behind = canvas.inverse_depth[layer.window]
    nearer = layer.inverse_depth > behind
    index = atlas.depth_index(layer.detail)
    footprint = atlas.tabulated_depth() / np.float32(focal_px)
    places = atlas.place(layer.texture, footprint, index, layer.s, layer.t)
    colour = cv2.remap(textures, *places, cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    _multiply(colour, layer.shade)
    cover = np.clip(layer.outline_px + np.float32(0.5), 0, 1) * nearer
    below = canvas.rgb[layer.window]
    below[...] = cv2.blendLinear(colour, np.ascontiguousarray(below), cover, 1 - cover)
    hit = nearer & (layer.outline_px > 0)
    np.copyto(behind, layer.inverse_depth, where=hit)


def _multiply(rgb: Picture, factor: FloatMap | float) -> None:
    """Scale the brightness of rgb (h, w, 3) in place by factor, one number or (h, w)."""
    if isinstance(factor, float):
        rgb[...] = cv2.convertScaleAbs(rgb, alpha=factor)
        return
    rgb[...] = cv2.multiply(rgb, cv2.cvtColor(factor, cv2.COLOR_GRAY2RGB), dtype=cv2.CV_8U)
