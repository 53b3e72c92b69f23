# SPDX-License-Identifier: Apache-2.0
"""Masks of a label image, which holds one number per pixel: others were painted over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.annotation.instances import Instance
from vizion3d_ros.geometry.annotation.window import edge_px

Numbers = NDArray[np.int32]


def are_apart(instances: Sequence[Instance], covers: Numbers) -> bool:
    """Tell if no two masks overlap. covers: int32 (height, width), whose mask is on top."""
    return sum(np.count_nonzero(each.mask) for each in instances) == np.count_nonzero(covers)


def uncovered(instance: Instance, covers: Numbers) -> Instance:
    """
    Widen a mask below the masks of others, as far as these may be too large.

    covers: int32 (height, width), as for are_apart.
    """
    if not instance.mask.any():
        return instance
    rows, columns = instance.mask.shape
    reach = round(edge_px(instance.mask, 1))
    up, back = min(reach, instance.row), min(reach, instance.column)
    top, left = instance.row - up, instance.column - back
    masked = covers[top:, left:][: up + rows + reach, : back + columns + reach] > 0
    mask = np.zeros(masked.shape, np.uint8)
    mask[up : up + rows, back : back + columns] = instance.mask
    widened = cv2.dilate(mask, np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
    return replace(instance, mask=widened & masked, row=top, column=left)
