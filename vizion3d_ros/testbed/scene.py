# SPDX-License-Identifier: Apache-2.0
"""
A furnished room seen by a swaying stereo rig, with exact depth for every pixel.

Made for demos, tests and benchmarks: rich textures, slanted planes, round and thin things,
occlusions, moving objects; 1.2 m to 8 m away. World frame as in view.py, its origin at the resting
left camera.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.errors import CalibrationError
from vizion3d_ros.testbed.furniture import furnish, moving, standing
from vizion3d_ros.testbed.instances import draw_instances
from vizion3d_ros.testbed.render import Shadow, render
from vizion3d_ros.testbed.shapes import Quad, Shape
from vizion3d_ros.testbed.view import View, look, stereo_views

PERIOD_S = 4.0


@dataclass(frozen=True, slots=True)
class RenderedPair:
    """
    One moment: left, right uint8 (H, W, 3) RGB; depth_m float32 (H, W), left, always finite.

    instances: uint8 (H, W), left, 0 = none, else 1 + index in OBJECTS; None unless asked for.
    """

    left: NDArray[np.uint8]
    right: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    instances: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where everything is at one moment: both cameras, the room's walls and the things in it."""

    left: View
    right: View
    room: tuple[Quad, ...]
    shapes: tuple[Shape, ...]
    shadows: tuple[Shadow, ...]


class SyntheticScene:
    """
    The room as one rig sees it. Same rig, seed and time: same frame, bit for bit.

    All motion swings: at(PERIOD_S - t) equals at(t), so half a period holds every frame.
    """

    def __init__(self, rig: StereoRig, seed: int = 0) -> None:
        """Paint all textures; CalibrationError if the rig has no baseline."""
        if rig.baseline_m is None:
            raise CalibrationError(
                'a synthetic scene needs a rig with a baseline_m in metres, got None'
            )
        self._rig = rig
        self._furnished = furnish(rig.left.fx, seed)

    def at(self, time_s: float, instances: bool = False) -> RenderedPair:
        """Render the moment time_s, seconds: both views, and the left depth and instances."""
        scene, textures = self.arrange(time_s), self._furnished.textures
        left, right = (
            render(view, textures, scene.room, scene.shadows, scene.shapes)
            for view in (scene.left, scene.right)
        )
        seen = None
        if instances:
            things, inverse_depth = self._furnished.things, left.inverse_depth
            seen = draw_instances(scene.left, scene.shapes, things, inverse_depth)
        return RenderedPair(left.rgb, right.rgb, np.float32(1) / left.inverse_depth, seen)

    def arrange(self, time_s: float) -> Arrangement:
        """Place cameras and things for the moment time_s, seconds."""
        phase = 2 * math.pi * time_s / PERIOD_S
        swing = math.cos(phase)
        rotation = look(math.radians(3 + 2.5 * swing), math.radians(5))
        position = np.array([0.14 * swing, 0.02 * math.cos(2 * phase), 0.1 * swing])
        views = stereo_views(self._rig, rotation, position)
        shapes, shadows = moving(phase, self._furnished)
        still = standing(self._furnished.things)
        return Arrangement(*views, self._furnished.room, (*still, *shapes), shadows)
