# SPDX-License-Identifier: Apache-2.0
"""The two smaller forms of an image that are examined: every so many pixels, and averaged."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
SAMPLES_PER_ROW = 160
SMALL_WIDTH = 320


def sample(image: Pixels) -> Pixels:
    """
    Grey values of every so many pixels, uint8 (h, w), about 160 to a row.

    image: uint8 (H, W) grey or (H, W, 3) RGB. Picked, not averaged: what is saturated stays so,
    and the noise, by which a live sensor is known, stays as it is.
    """
    step = max(1, image.shape[1] // SAMPLES_PER_ROW)
    return to_grey(np.ascontiguousarray(image[::step, ::step]))


def to_grey(image: Pixels) -> Pixels:
    """Brightness as uint8 (H, W), of uint8 (H, W) grey or (H, W, 3) RGB."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def shrink(grey: Pixels) -> tuple[Pixels, int]:
    """Average blocks of pixels, uint8 (H, W) to (h, w) of about 320 columns; and their width."""
    factor = max(1, round(grey.shape[1] / SMALL_WIDTH))
    size = (max(1, grey.shape[1] // factor), max(1, grey.shape[0] // factor))
    if factor == 1:
        return grey, 1
    whole = grey[: size[1] * factor, : size[0] * factor]
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.uint8), factor
