# SPDX-License-Identifier: Apache-2.0
"""Between the images as they came and as they are matched: grey, maybe smaller, same content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vizion3d_ros.engine.sgbm.search_range import scaled_range

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.settings.stereo_settings import SgbmSettings
    from vizion3d_ros.engine.sgbm.search_range import SearchRange

# Fraction of the columns and of the rows that are matched. The time goes with the rows and with
# the square of the columns, as there are fewer disparities too; so rows are the last to go.
PRESETS = {'fast': (0.4, 0.4), 'balanced': (0.6, 1.0), 'quality': (1.0, 1.0)}
LEAST_WIDTH = 400  # images of fewer columns lose nothing to a preset, as they cost little
# Equal weights: any channel order gives the same image, and noise is averaged best.
CHANNEL_MEAN = np.full((1, 3), 1 / 3, np.float32)


@dataclass(frozen=True, slots=True)
class GreyPair:
    """
    The images as matched, uint8 (h, w).

    first, count: whole disparities to try, in pixels of these images.
    """

    left: NDArray[np.uint8]
    right: NDArray[np.uint8]
    first: int
    count: int

    def resized(self, width: int, height: int) -> GreyPair:
        """Give the pair at another size; disparities follow the true width ratio."""
        left, right = (_resize(image, width, height) for image in (self.left, self.right))
        share = width / self.left.shape[1]
        return GreyPair(left, right, *scaled_range(self.first, self.count, share))


def matched_size(width: int, height: int, settings: SgbmSettings) -> tuple[int, int]:
    """Width and height that images of this size are matched at."""
    narrow = min(1.0, LEAST_WIDTH / width)
    columns, rows = (max(share, narrow) for share in PRESETS[settings.preset])
    columns, rows = settings.width_scale or columns, settings.height_scale or rows
    return (
        max(1, round(width * settings.scale * columns)),
        max(1, round(height * settings.scale * rows)),
    )


def prepare_pair(
    left: NDArray[np.uint8],
    right: NDArray[np.uint8],
    searched: SearchRange,
    settings: SgbmSettings,
) -> GreyPair:
    """
    Make grey, scale, and take away the local mean if asked.

    left, right: uint8 (H, W) or (H, W, 3). Colour is not matched: measured on five scenes, it
    costs a third more time and leaves more wrong matches in four of them.
    """
    height, width = left.shape[:2]
    size = matched_size(width, height, settings)
    first, count = scaled_range(searched.first, searched.count, size[0] / width)
    pair = GreyPair(_grey_at(left, *size), _grey_at(right, *size), first, count)
    if settings.prefilter_size:
        left, right = (
            _without_mean(image, settings.prefilter_size) for image in (pair.left, pair.right)
        )
        pair = GreyPair(left, right, pair.first, pair.count)
    return pair


def to_full_size(values: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """
    Enlarge a map, float32 (h, w) to (height, width); its values are kept as they are.

    Smooth within a surface; nothing is mixed across a jump of more than 1 or with NaN.
    """
    if values.shape == (height, width):
        return values
    smooth = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
    nearest = cv2.resize(values, (width, height), interpolation=cv2.INTER_NEAREST)
    within = cv2.compare(cv2.absdiff(smooth, nearest), 1.0, cv2.CMP_LE)  # 0 where NaN
    return np.asarray(cv2.copyTo(smooth, within, nearest), np.float32)


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image if image.ndim == 2 else np.asarray(cv2.transform(image, CHANNEL_MEAN), np.uint8)


def _grey_at(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    whole = image.shape[0] % height == 0 and image.shape[1] % width == 0
    if whole:  # colour is shrunk fast then, and so there are fewer pixels to make grey
        return _grey(_resize(image, width, height))
    return _resize(_grey(image), width, height)


def _resize(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _without_mean(image: NDArray[np.uint8], window: int) -> NDArray[np.uint8]:
    mean = cv2.blur(image, (window, window))
    return np.asarray(cv2.addWeighted(image, 1.0, mean, -1.0, 128.0), np.uint8)
