#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mono node with a stand-in for its network: one that knows the synthetic scene.

    python demo/scene_depth_node.py --rate 10 --ros-args ...      parameters of the mono node

Answers every frame of the synthetic rig (defaults, at this rate) with an affine image of its true
inverse depth. Scale and shift are others in each frame, so that only the points of a frame tell
its metres.
"""

from __future__ import annotations

import argparse
import math
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vizion3d_ros.contracts.camera import StereoRig  # noqa: E402
from vizion3d_ros.contracts.errors import BackendError  # noqa: E402
from vizion3d_ros.contracts.results import Estimate  # noqa: E402
from vizion3d_ros.engine.registry import MONO_BACKENDS  # noqa: E402
from vizion3d_ros.ros.nodes import mono_node  # noqa: E402
from vizion3d_ros.ros.testbed.synthetic_rig import RigSettings  # noqa: E402
from vizion3d_ros.testbed.scene import PERIOD_S, SyntheticScene  # noqa: E402

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.settings.mono_settings import MonoSettings

NAME = 'stand-in: known affine image of inverse depth'


class SceneDepth:
    """Recognises the frames of a swing of the scene; see MonoBackend for the contract."""

    def __init__(self, rate: float) -> None:
        """Render all frames that the synthetic rig shows at this rate in Hz."""
        rig = RigSettings()
        ideal = StereoRig.from_field_of_view(rig.width, rig.height, rig.hfov_deg, rig.baseline_m)
        scene = SyntheticScene(ideal, rig.seed)
        self._shape = rig.height, rig.width
        self._inverse_depth: dict[int, torch.Tensor] = {}
        for index in range(round(rate * PERIOD_S / 2) + 1):
            frame = scene.at(index / rate)
            self._inverse_depth[crc32(frame.left)] = 1 / torch.from_numpy(frame.depth_m)
        self._answers = count()

    def estimate(self, image: NDArray[np.uint8], settings: MonoSettings) -> Estimate:
        """Answer a frame, uint8 (H, W, 3); what warms the node up has another size: zeros."""
        del settings
        if image.shape[:2] != self._shape:
            return Estimate(torch.zeros(image.shape[:2]), False, NAME, '')
        inverse_depth = self._inverse_depth.get(crc32(image))
        if inverse_depth is None:
            raise BackendError(
                'the stand-in knows the synthetic rig at its own rate, not this image'
            )
        factor, offset = drift(next(self._answers))
        return Estimate(factor * inverse_depth + offset, False, NAME, '')


def drift(index: int) -> tuple[float, float]:
    """Factor (> 0) and offset of the n-th answer: both rise and fall by a third in seconds."""
    return 40 * (1 + 0.3 * math.sin(0.16 * index)), 12 + 4 * math.sin(0.11 * index + 1)


def stand_in() -> SceneDepth:
    """Make the stand-in for the rate that the command line names."""
    return SceneDepth(options.rate)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rate', type=float, required=True, metavar='HZ')
    options, for_ros = parser.parse_known_args()
    MONO_BACKENDS['depth_anything_v2'] = '__main__:stand_in'
    mono_node.main(for_ros)
