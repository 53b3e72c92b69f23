# SPDX-License-Identifier: Apache-2.0
"""What is in the synthetic room, where, and what it is made of. Metres, world frame of view.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator

from vizion3d_ros.testbed import materials
from vizion3d_ros.testbed.atlas import AtlasBuilder, Texture
from vizion3d_ros.testbed.materials import Picture, Size
from vizion3d_ros.testbed.render import Shadow
from vizion3d_ros.testbed.shapes import Bars, Quad, Rod, Shape, Sphere
from vizion3d_ros.testbed.view import Matrix, Vector, rotation_x, rotation_y, rotation_z

# Side walls at +-HALF_WIDTH, floor and ceiling, front wall at DEPTH; open behind the rig.
HALF_WIDTH, FLOOR, CEILING, DEPTH = 2.5, 1.25, -1.75, 7.4
BACK = -1.0
BALL_RADIUS, BOB_RADIUS, LAMP_RADIUS = 0.24, 0.15, 0.17
MOST_TEXELS = 2400
# On the floor: x, z, radius in metres, strength.
STILL_SHADOWS = (
    (-0.95, 3.65, 0.62, 0.8),
    (1.3, 2.9, 0.4, 0.45),
    (0.4, 4.22, 0.12, 0.5),
    (-0.22, 5.92, 0.26, 0.6),
    (0.95, 5.4, 0.5, 0.3),
)

Paint = Callable[[Size, float, Generator], Picture]


@dataclass(frozen=True, slots=True)
class Furnished:
    """The room's walls, floor first, the textures of things, and the picture with all textures."""

    room: tuple[Quad, ...]
    things: dict[str, Texture]
    textures: Picture


def furnish(fx: float, seed: int) -> Furnished:
    """Paint all textures, as fine as a camera of focal length fx, pixels, can see them."""
    rng = np.random.default_rng(seed)
    atlas = AtlasBuilder()

    def texture(paint: Paint, size_m: tuple[float, float], nearest_m: float) -> Texture:
        density = min(fx / nearest_m, MOST_TEXELS / max(size_m))
        return atlas.add(paint(_texels(size_m, density), density, rng), density)

    room = tuple(
        Quad(wall.centre, wall.right, wall.down, wall.size, texture(paint, wall.size, nearest))
        for wall, paint, nearest in _walls()
    )
    things = {name: texture(*made) for name, made in _THINGS.items()}
    return Furnished(room, things, atlas.picture)


@dataclass(frozen=True, slots=True)
class _Wall:
    centre: Vector
    right: Vector
    down: Vector
    size: tuple[float, float]


def _walls() -> list[tuple[_Wall, Paint, float]]:
    """Floor, front, left, right, ceiling; paint, and the depth from which each is seen."""
    length, height = DEPTH - BACK, FLOOR - CEILING
    y, z = (FLOOR + CEILING) / 2, (DEPTH + BACK) / 2

    def wall(centre: tuple[float, float, float], axes: str, size: tuple[float, float]) -> _Wall:
        right, down = (_AXES[axis] for axis in axes.split())
        return _Wall(np.array(centre), right, down, size)

    return [
        (wall((0, FLOOR, z), 'x -z', (2 * HALF_WIDTH, length)), _floor, 2.2),
        (wall((0, y, DEPTH), 'x y', (2 * HALF_WIDTH, height)), _front_wall, 6.5),
        (wall((-HALF_WIDTH, y, z), 'z y', (length, height)), _left_wall, 3.4),
        (wall((HALF_WIDTH, y, z), '-z y', (length, height)), _right_wall, 3.4),
        (wall((0, CEILING, z), 'x z', (2 * HALF_WIDTH, length)), _ceiling, 4.2),
    ]


_AXES = {
    'x': np.array([1.0, 0.0, 0.0]),
    'y': np.array([0.0, 1.0, 0.0]),
    'z': np.array([0.0, 0.0, 1.0]),
    '-z': np.array([0.0, 0.0, -1.0]),
}


def _floor(size: Size, density: float, rng: Generator) -> Picture:
    boards = materials.darken_rim(materials.planks(size, density, rng), density)
    for x, z, radius, strength in STILL_SHADOWS:
        spot = ((x + HALF_WIDTH) * density, (DEPTH - z) * density)
        materials.darken_spot(boards, spot, radius * density, strength)
    return boards


def _front_wall(size: Size, density: float, rng: Generator) -> Picture:
    wall = materials.bricks(size, density, rng)
    for left, top, size_m in ((0.1, 0.22, (0.9, 0.7)), (0.63, 0.16, (0.75, 1.15))):
        picture = materials.landscape(_texels(size_m, density), density, rng)
        materials.hang(picture, wall, left, top)
    return materials.darken_rim(wall, density)


def _left_wall(size: Size, density: float, rng: Generator) -> Picture:
    wall = materials.plaster(size, density, rng, (170, 196, 186))
    for left in (0.47, 0.62, 0.79):
        picture = materials.landscape(_texels((0.55, 0.8), density), density, rng)
        materials.hang(picture, wall, left, 0.25)
    return materials.darken_rim(wall, density)


def _right_wall(size: Size, density: float, rng: Generator) -> Picture:
    return materials.darken_rim(materials.books(size, density, rng), density)


def _ceiling(size: Size, density: float, rng: Generator) -> Picture:
    plain = materials.plaster(size, density, rng, (226, 220, 206))
    return materials.darken_rim(plain, density)


def _texels(size_m: tuple[float, float], density: float) -> Size:
    return max(round(size_m[1] * density), 8), max(round(size_m[0] * density), 8)


_OAK = partial(materials.plaster, colour=(196, 148, 96))
_STONE = partial(materials.plaster, colour=(224, 212, 190))
_STEEL = partial(materials.plaster, colour=(120, 124, 132))
_PAPER = partial(materials.plaster, colour=(255, 240, 190))

# Texture of each thing: paint, width and height in metres, depth from which it is seen at most.
_THINGS: dict[str, tuple[Paint, tuple[float, float], float]] = {
    'crate': (materials.crate, (0.8, 0.8), 2.8),
    'box': (materials.crate, (0.5, 0.5), 2.8),
    'board': (materials.landscape, (1.1, 0.8), 2.4),
    'fence': (_OAK, (2.0, 0.95), 4.6),
    'ball': (materials.beach_ball, (4 * BALL_RADIUS, 4 * BALL_RADIUS), 2.2),
    'bob': (materials.marble, (4 * BOB_RADIUS, 4 * BOB_RADIUS), 1.9),
    'lamp': (_PAPER, (4 * LAMP_RADIUS, 4 * LAMP_RADIUS), 3.6),
    'rod': (materials.bands, (0.16, 3.0), 1.3),
    'pillar': (_STONE, (1.2, 3.0), 5.2),
    'stick': (_OAK, (0.12, 3.2), 2.0),
    'wire': (_STEEL, (0.06, 3.2), 1.9),
}


def standing(things: dict[str, Texture]) -> list[Shape]:
    """List what stands still: crates, a picture on a stand, a fence, and upright things."""
    lamp = np.array([0.35, -0.55, 4.2])
    return [
        *_cube(np.array([-1.2, FLOOR - 0.4, 3.7]), 0.8, 32, things['crate']),
        *_cube(np.array([-1.27, FLOOR - 1.05, 3.75]), 0.5, -14, things['box']),
        *_stand(np.array([1.2, 0.1, 2.7]), things),
        _fence(np.array([0.85, FLOOR - 0.47, 5.4]), things['fence']),
        _upright(-0.74, CEILING, 1.36, 0.015, things['rod']),
        _upright(-0.35, CEILING, 5.9, 0.16, things['pillar']),
        _upright(lamp[0], lamp[1], lamp[2], 0.018, things['stick']),
        Sphere(lamp, LAMP_RADIUS, things['lamp'], np.eye(3)),
        Rod(np.array([-2.1, FLOOR, 4.6]), np.array([-2.45, -1.2, 5.0]), 0.02, things['stick']),
    ]


def _upright(x: float, top: float, z: float, radius: float, texture: Texture) -> Rod:
    return Rod(np.array([x, FLOOR, z]), np.array([x, top, z]), radius, texture)


def _cube(centre: Vector, edge: float, yaw_deg: float, texture: Texture) -> list[Quad]:
    """Make the four sides and the lid."""
    sides = [rotation_y(math.radians(yaw_deg + quarter)) for quarter in (0, 90, 180, 270)]
    turns = [*sides, sides[0] @ rotation_x(math.radians(-90))]
    return [_quad(centre - turn[:, 2] * edge / 2, turn, (edge, edge), texture) for turn in turns]


def _stand(centre: Vector, things: dict[str, Texture]) -> list[Shape]:
    """Lean a picture against two upright legs."""
    turn = rotation_y(math.radians(-24)) @ rotation_x(math.radians(-12))
    legs = [centre + turn @ np.array([x, 0.0, 0.12]) for x in (-0.38, 0.38)]
    return [
        _quad(centre, turn, (1.1, 0.8), things['board']),
        *(_upright(x, -0.5, z, 0.02, things['stick']) for x, _, z in legs),
    ]


def _fence(centre: Vector, texture: Texture) -> Quad:
    bars = Bars(pitch=0.16, half_width=0.016, rails=(0.12, 0.78))
    return _quad(centre, rotation_y(math.radians(12)), texture.size_m, texture, bars)


def _quad(
    centre: Vector,
    turn: Matrix,
    size: tuple[float, float],
    texture: Texture,
    bars: Bars | None = None,
) -> Quad:
    return Quad(centre, turn[:, 0], turn[:, 1], size, texture, bars)


def moving(phase: float, furnished: Furnished) -> tuple[list[Shape], tuple[Shadow, ...]]:
    """
    Place the ball that rolls and the bob that swings from the ceiling, and their shadows.

    phase: radians, one full circle per period; only its cosines count.
    """
    things, floor = furnished.things, furnished.room[0]
    roll = 0.75 * math.cos(phase)
    ball = np.array([-0.1 + roll, FLOOR - BALL_RADIUS, 2.75])
    rolled = rotation_z(-roll / BALL_RADIUS) @ rotation_x(0.5)
    angle = 0.2 * math.cos(2 * phase)
    pivot = np.array([0.3, CEILING, 2.15])
    bob = pivot + 1.45 * np.array([math.sin(angle), math.cos(angle), 0.0])
    shapes: list[Shape] = [
        Sphere(ball, BALL_RADIUS, things['ball'], rolled),
        Sphere(bob, BOB_RADIUS, things['bob'], rotation_z(angle)),
        Rod(pivot, bob, 0.005, things['wire']),
    ]
    under_ball = ball + np.array([0.08, BALL_RADIUS, 0.08])
    under_bob = np.array([bob[0] + 0.5, FLOOR, bob[2] + 0.4])
    shadows = (Shadow(floor, under_ball, 0.19, 0.75), Shadow(floor, under_bob, 0.2, 0.35))
    return shapes, shadows
