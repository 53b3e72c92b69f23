# SPDX-License-Identifier: Apache-2.0
"""
Closed-form depth and texture coordinates of each shape, per pixel centre.

The inverse depth of a plane is affine in the pixel; that of a sphere or cylinder is the larger
root of a quadratic.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.testbed.atlas import Texture
from vizion3d_ros.testbed.shapes import Quad, Rod, Shape, Sphere
from vizion3d_ros.testbed.view import Matrix, Vector, View, Window

FloatMap = NDArray[np.float32]

LIGHT = np.array([-0.45, -0.75, -0.5]) / np.linalg.norm([0.45, 0.75, 0.5])
AMBIENT = 0.55
SIGHT = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, slots=True)
class Layer:
    """
    What a shape shows inside a window, all (h, w).

    inverse_depth: 1/m. outline_px: distance to the outline in pixels, positive inside. s, t:
    texture coordinates in metres from its top left corner. detail: inverse depth, less where a
    pixel's footprint is stretched. shade: brightness factor.
    """

    window: Window
    inverse_depth: FloatMap
    outline_px: FloatMap
    s: FloatMap
    t: FloatMap
    detail: FloatMap
    texture: Texture
    shade: FloatMap | float


def trace(view: View, shape: Shape) -> Layer | None:
    """Trace any shape; None where it does not show."""
    if isinstance(shape, Quad):
        return _trace_quad(view, shape)
    if isinstance(shape, Sphere):
        return _trace_sphere(view, shape)
    return _trace_rod(view, shape)


def plane_coefficients(view: View, quad: Quad) -> Matrix:
    """
    Rows (3, 3) which, times a ray, give inverse depth w, then s * w and t * w.

    s, t: metres from the quad's top left corner, along right and down.
    """
    centre = view.to_camera(quad.centre)
    normal = view.rotation @ quad.normal
    inverse_depth = normal / (normal @ centre)
    axes = view.rotation @ np.stack([quad.right, quad.down], axis=1)
    corner = axes.T @ centre - np.array(quad.size) / 2
    s, t = axes.T - np.outer(corner, inverse_depth)
    return np.stack([inverse_depth, s, t])


def affine(coefficients: Vector, x: Vector, y: Vector) -> FloatMap:
    """Evaluate coefficients . (x, y, 1) on a grid, (h, w)."""
    rows = (coefficients[1] * y + coefficients[2]).astype(np.float32)
    grid: FloatMap = np.add.outer(rows, (coefficients[0] * x).astype(np.float32))
    return grid


def _affine_exact(coefficients: Vector, x: Vector, y: Vector) -> Vector:
    grid: Vector = np.add.outer(coefficients[1] * y + coefficients[2], coefficients[0] * x)
    return grid


def quad_window(view: View, quad: Quad) -> Window:
    """Pixels that the quad may cover."""
    across = quad.right * quad.size[0] / 2
    along = quad.down * quad.size[1] / 2
    corners = [quad.centre + i * across + j * along for i in (-1, 1) for j in (-1, 1)]
    points = np.array([view.to_camera(corner) for corner in corners])
    slopes = points[:, :2] / points[:, 2:]
    return view.window(slopes[:, 0], slopes[:, 1])


def _trace_quad(view: View, quad: Quad) -> Layer | None:
    centre = view.to_camera(quad.centre)
    if centre @ view.rotation @ quad.normal <= 0:
        return None
    window = quad_window(view, quad)
    if window.empty:
        return None
    x, y = view.rays(window)
    coefficients = plane_coefficients(view, quad)
    inverse_depth = affine(coefficients[0], x, y)
    depth = np.float32(1) / inverse_depth
    s = affine(coefficients[1], x, y) * depth
    t = affine(coefficients[2], x, y) * depth
    # Pixels per metre across each edge, foreshortening as at the centre of the quad.
    focal = view.camera.fx * inverse_depth
    outline = _quad_outline(quad, s, t)
    across, along = (_foreshortening(view, quad, axis) for axis in (quad.right, quad.down))
    outline_px = np.minimum(outline[0] * (focal * across), outline[1] * (focal * along))
    detail = inverse_depth * np.float32(across)
    shade = _brightness(-quad.normal @ LIGHT)
    return Layer(window, inverse_depth, outline_px, s, t, detail, quad.texture, shade)


def _brightness(towards_light: float) -> float:
    return AMBIENT + (1 - AMBIENT) * max(towards_light, 0.0)


def _foreshortening(view: View, quad: Quad, axis: Vector) -> np.float32:
    centre = view.to_camera(quad.centre)
    sight = centre / np.linalg.norm(centre)
    seen = view.rotation @ axis
    return np.float32(np.linalg.norm(seen - (seen @ sight) * sight))


def _quad_outline(quad: Quad, s: FloatMap, t: FloatMap) -> tuple[FloatMap, FloatMap]:
    """Signed distances in metres to the nearest upright and to the nearest level edge."""
    inside_s = np.minimum(s, np.float32(quad.size[0]) - s)
    inside_t = np.minimum(t, np.float32(quad.size[1]) - t)
    if quad.bars is None:
        return inside_s, inside_t
    bars = quad.bars
    nearest = s - np.round(s / np.float32(bars.pitch)) * np.float32(bars.pitch)
    in_bar = np.float32(bars.half_width) - np.abs(nearest)
    for rail in bars.rails:
        in_rail = np.float32(bars.half_width) - np.abs(t - np.float32(rail))
        in_bar = np.maximum(in_bar, in_rail)
    return np.minimum(inside_s, in_bar), inside_t


class _Quadric:
    """
    Nearest hits of a window's rays with |across (Z ray - centre)| = radius.

    across = 1 - axis axis' takes away what runs along a cylinder's axis; a zero axis makes a
    sphere. With w = 1 / Z and c = across centre the equation reads
    (|c|^2 - radius^2) w^2 - 2 (ray . c) w + |across ray|^2 = 0; the nearest hit is its larger
    root. float64 keeps it exact at the outline. All maps are (h, w).
    """

    def __init__(
        self, view: View, window: Window, centre: Vector, radius: float, axis: Vector
    ) -> None:
        self._slopes = x, y = view.rays(window)
        self._radius, self._axis = radius, axis
        self._centre = centre - (centre @ axis) * axis
        constant = self._centre @ self._centre - radius**2
        ray_centre = _affine_exact(self._centre, x, y)
        ray_axis = _affine_exact(axis, x, y)
        ray_ray = np.add.outer(y**2 + 1, x**2) - ray_axis**2
        discriminant = ray_centre**2 - ray_ray * constant
        inverse_depth = (ray_centre + np.sqrt(np.maximum(discriminant, 0))) / constant
        self.inverse_depth = inverse_depth.astype(np.float32)
        self.depth = 1 / self.inverse_depth
        # Distance to the zero line of the discriminant, to first order, in pixels.
        slope_x = ray_centre * self._centre[0] - constant * (x - ray_axis * axis[0])
        slope_y = ray_centre * self._centre[1] - constant * (y[:, None] - ray_axis * axis[1])
        steepness = cv2.magnitude(slope_x / view.camera.fx, slope_y / view.camera.fy)
        self.outline_px = (discriminant / (2 * steepness + 1e-12)).astype(np.float32)

    def along(self, direction: Vector) -> FloatMap:
        """Ray times a camera-frame direction."""
        return affine(direction, *self._slopes)

    def normal_along(self, direction: Vector) -> FloatMap:
        """Outward unit normal at the hit times a camera-frame direction."""
        across = direction - (direction @ self._axis) * self._axis
        offset = np.float32(self._centre @ across)
        return (self.depth * self.along(across) - offset) / np.float32(self._radius)


def _trace_sphere(view: View, sphere: Sphere) -> Layer | None:
    centre = view.to_camera(sphere.centre)
    window = view.window(*_ball_slopes(centre, sphere.radius))
    if window.empty:
        return None
    quadric = _Quadric(view, window, centre, sphere.radius, np.zeros(3))
    right, down, away = (quadric.normal_along(row) for row in sphere.turn @ view.rotation.T)
    # Lambert's azimuthal equal-area map, its centre on the side that faces the camera.
    stretch = np.sqrt(np.float32(2 * sphere.radius**2) / np.maximum(1 - away, np.float32(0.05)))
    middle = np.float32(sphere.texture.size_m[0] / 2)
    place = (right * stretch + middle, down * stretch + middle)
    return _lit_layer(view, window, quadric, place, sphere.texture)


def _trace_rod(view: View, rod: Rod) -> Layer | None:
    start, end = view.to_camera(rod.start), view.to_camera(rod.end)
    bounds = [_ball_slopes(point, rod.radius) for point in (start, end)]
    window = view.window(*np.concatenate(bounds, axis=1))
    if window.empty:
        return None
    length = float(np.linalg.norm(end - start))
    axis = (end - start) / length
    quadric = _Quadric(view, window, start, rod.radius, axis)
    along = quadric.depth * quadric.along(axis) - np.float32(start @ axis)
    quadric.outline_px[(along < 0) | (along > length)] = -1.0
    # The texture is projected along the world's z: the same for both cameras, unlike their rays.
    side = np.cross(axis, view.rotation[:, 2])
    across = quadric.normal_along(side * (rod.radius / np.linalg.norm(side)))
    across += np.float32(rod.texture.size_m[0] / 2)
    return _lit_layer(view, window, quadric, (across, along), rod.texture)


def _lit_layer(
    view: View,
    window: Window,
    quadric: _Quadric,
    place: tuple[FloatMap, FloatMap],
    texture: Texture,
) -> Layer:
    lit = np.maximum(quadric.normal_along(view.rotation @ LIGHT), 0)
    facing = -quadric.normal_along(SIGHT)
    detail = quadric.inverse_depth * np.clip(facing, np.float32(0.25), np.float32(1))
    shade = np.float32(AMBIENT) + np.float32(1 - AMBIENT) * lit
    return Layer(window, quadric.inverse_depth, quadric.outline_px, *place, detail, texture, shade)


def _ball_slopes(centre: Vector, radius: float) -> Matrix:
    """Ranges (2, 2) of x and of y ray slopes that touch a ball in front of the camera."""
    ranges = []
    for offset in centre[:2]:
        middle = np.arctan2(offset, centre[2])
        spread = np.arcsin(min(radius / np.hypot(offset, centre[2]), 1.0))
        ranges.append(np.tan(np.clip([middle - spread, middle + spread], -1.5, 1.5)))
    return np.array(ranges)
