# SPDX-License-Identifier: Apache-2.0
"""Which pixel shows which object of the synthetic room: the truth that a detector is after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.testbed.atlas import Texture
from vizion3d_ros.testbed.shapes import Shape
from vizion3d_ros.testbed.trace import trace
from vizion3d_ros.testbed.view import View

# Sticks and wires hold other things up and are none.
OBJECTS = ('crate', 'box', 'board', 'fence', 'ball', 'bob', 'lamp', 'rod', 'pillar')


def draw_instances(
    view: View,
    shapes: Sequence[Shape],
    things: Mapping[str, Texture],
    inverse_depth: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """
    Number each pixel, uint8 (H, W): 0 = none, else 1 + index in OBJECTS.

    shapes, things: what was drawn, and the texture of each thing by name. inverse_depth: float32
    (H, W), 1/m, of what was drawn.
    """
    numbers = {id(things[name]): 1 + index for index, name in enumerate(OBJECTS)}
    instances = np.zeros(inverse_depth.shape, np.uint8)
    for shape in shapes:
        layer = trace(view, shape) if id(shape.texture) in numbers else None
        if layer is not None:
            seen = (layer.outline_px > 0) & (layer.inverse_depth == inverse_depth[layer.window])
            instances[layer.window][seen] = numbers[id(shape.texture)]
    return instances
