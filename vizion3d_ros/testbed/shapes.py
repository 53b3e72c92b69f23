# SPDX-License-Identifier: Apache-2.0
"""The shapes of the synthetic world: quads (flat), spheres and rods, in metres, world frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizion3d_ros.testbed.atlas import Texture
from vizion3d_ros.testbed.view import Matrix, Vector


@dataclass(frozen=True, slots=True)
class Bars:
    """Cuts upright bars every `pitch` and level rails, metres from the top, from a quad."""

    pitch: float
    half_width: float
    rails: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Quad:
    """A flat rectangle seen from the side away from right x down (unit vectors)."""

    centre: Vector
    right: Vector
    down: Vector
    size: tuple[float, float]
    texture: Texture
    bars: Bars | None = None

    @property
    def normal(self) -> Vector:
        """Unit vector (3,), world frame, away from those who see the quad."""
        return np.cross(self.right, self.down)


@dataclass(frozen=True, slots=True)
class Sphere:
    """A ball; `turn` (3, 3) turns world vectors into those of its texture."""

    centre: Vector
    radius: float
    texture: Texture
    turn: Matrix


@dataclass(frozen=True, slots=True)
class Rod:
    """A cylinder without caps: its ends must be inside other things."""

    start: Vector
    end: Vector
    radius: float
    texture: Texture


Shape = Quad | Sphere | Rod
