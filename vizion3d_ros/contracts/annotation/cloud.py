# SPDX-License-Identifier: Apache-2.0
"""A cloud that somebody gives: points and, if it has any, colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ColoredPoints:
    """
    xyz: float (N, 3) metres, OpenGL axes (x right, y up, z backward).

    rgb: uint8 (N, 3); None = no colours, which counts as white.
    """

    xyz: NDArray[np.floating]
    rgb: NDArray[np.uint8] | None = None
