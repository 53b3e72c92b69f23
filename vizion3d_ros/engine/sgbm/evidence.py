# SPDX-License-Identifier: Apache-2.0
"""What speaks for or against a match: the other view, the pixels themselves, the neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vizion3d_ros.engine.sgbm.semiglobal import NO_MATCH, STEPS
from vizion3d_ros.engine.sgbm.smear import smear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.engine.sgbm.matched_size import GreyPair

    FloatMap = NDArray[np.float32]

# All of it is coarse, half the matched rows: less work, and the noise of sensors is averaged.
MEAN_WINDOW = (9, 9)
RESIDUAL_WINDOW = (3, 3)
GREY_NOISE = 2.0
GRADIENT_WINDOW = (15, 15)
ROUGHNESS_WINDOW = (7, 7)
LARGEST_STEP_PX = 5  # one jump must not speak for all around it
# Matching picks where noise happens to agree: correlations up to 0.19 at 2 grey levels of it.
TEXTURE_WINDOW = (31, 31)
LEAST_CORRELATION = 0.2
LEAST_ACROSS = 0.01  # of what two neighbourhoods have in common; the rest is edges along the rows
# In grey levels squared: rounding a smooth shade leaves 0.08, and that in both views alike.
ROUNDING_VARIANCE = 0.3


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    Cues per left pixel, (h, w) at the coarse size; meaningless where no match is.

    disagreement: float32, coarse pixels between the match and what the right view found there.
    residual: float32, difference of the two matched neighbourhoods relative to their contrast,
    0 = equal.
    gradient: float32, mean horizontal gradient around, in grey levels per two pixels.
    roughness: float32, mean step between row neighbours before any doubt, in matched pixels.
    textured: bool, whether the two views have texture in common where they were matched.
    """

    disagreement: FloatMap
    residual: FloatMap
    gradient: FloatMap
    roughness: FloatMap
    textured: NDArray[np.bool_]


def gather_evidence(
    pair: GreyPair, found: NDArray[np.int16], right: NDArray[np.int16]
) -> Evidence:
    """
    Look up every left pixel on the right, at the coarse size: noise is averaged there.

    pair: at the matched size. found: 16ths of its pixels, int16, NO_MATCH where there is none.
    right: disparity of the right view at the coarse size, in 16ths of its pixels, int16 (h, w).
    """
    height, width = right.shape
    left_detail, right_detail = (
        _detail(_shrunk(image, width, height)) for image in (pair.left, pair.right)
    )
    sampled = sampled_at(found, right.shape)
    disparity = sampled * np.float32(width / pair.left.shape[1] / STEPS)
    window = np.ones((3, 3), np.uint8)
    bounds = [
        spread * np.float32(1 / STEPS)
        for spread in (cv2.erode(right, window), cv2.dilate(right, window))
    ]
    seen, low, high = cv2.split(_sample(cv2.merge([right_detail, *bounds]), disparity))
    contrast = cv2.blur(cv2.absdiff(left_detail, 0.0), MEAN_WINDOW)
    difference = cv2.blur(cv2.absdiff(left_detail, seen), RESIDUAL_WINDOW)
    slope = cv2.Sobel(left_detail, cv2.CV_32F, 1, 0, ksize=1)
    return Evidence(
        disagreement=np.maximum(np.maximum(low - disparity, disparity - high), np.float32(0)),
        residual=difference / (contrast + np.float32(GREY_NOISE)),
        gradient=cv2.blur(cv2.absdiff(slope, 0.0), GRADIENT_WINDOW),
        roughness=_roughness(sampled),
        textured=_correlated(
            left_detail, seen, _without_border(sampled != NO_MATCH), smear(left_detail)
        ),
    )


def relief(found: NDArray[np.int16], window: int) -> NDArray[np.int16]:
    """Largest minus smallest 16th of a window, int16 (h, w); NO_MATCH is left out."""
    box = np.ones((window, window), np.uint8)
    high = cv2.dilate(found, box)
    # -x turns the smallest value into itself: so NO_MATCH loses on this side, too.
    low = cv2.dilate(np.negative(found), box)
    return cv2.add(high, low)


def texture(image: NDArray[np.uint8], cap: int, window: int) -> FloatMap:
    """Horizontal Sobel gradient, clipped at cap and summed over a window; float32 (h, w)."""
    gradient = np.minimum(np.abs(cv2.Sobel(image, cv2.CV_16S, 1, 0)), np.int16(cap))
    return cv2.boxFilter(gradient.astype(np.float32), -1, (window, window), normalize=False)


def sampled_at(found: NDArray[np.int16], shape: tuple[int, ...]) -> NDArray[np.int16]:
    """Without mixing neighbours, of which one may be no match."""
    return np.asarray(cv2.resize(found, shape[::-1], interpolation=cv2.INTER_NEAREST), np.int16)


def _roughness(sampled: NDArray[np.int16]) -> FloatMap:
    step = np.abs(np.diff(sampled.astype(np.float32), axis=1, prepend=sampled[:, :1]))
    step = np.minimum(step / np.float32(STEPS), np.float32(LARGEST_STEP_PX))
    return np.asarray(cv2.blur(step, ROUGHNESS_WINDOW), np.float32)


def _shrunk(image: NDArray[np.uint8], width: int, height: int) -> FloatMap:
    """Without rounding, which the two views share."""
    smooth = image.astype(np.float32)
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_AREA))


def _detail(smooth: FloatMap) -> FloatMap:
    """Image without its local mean, which two cameras seldom share; float32 (h, w)."""
    return cv2.subtract(smooth, cv2.blur(smooth, MEAN_WINDOW))


def _correlated(
    left: FloatMap, right: FloatMap, told: NDArray[np.uint8], by_chance: float
) -> NDArray[np.bool_]:
    """
    Whether two details correlate around a pixel; told: 1 for those that count, else 0.

    by_chance: how much more than independent noise theirs correlates by chance, 1 = no more.

    Noise of two sensors is independent, so that matched neighbourhoods of a blank area hardly
    correlate, however strong the noise; those of a real texture do, however weak it is.
    """
    counted = told.astype(np.float32)
    share = cv2.blur(counted, TEXTURE_WINDOW)
    left, right = left * counted, right * counted

    def spread(one: FloatMap, other: FloatMap, mean: FloatMap) -> FloatMap:
        return share * cv2.blur(one * other, TEXTURE_WINDOW) - mean

    left_mean, right_mean = cv2.blur(left, TEXTURE_WINDOW), cv2.blur(right, TEXTURE_WINDOW)
    rounding = share * share * np.float32(ROUNDING_VARIANCE)
    common = spread(left, right, left_mean * right_mean)
    left_variance = spread(left, left, left_mean * left_mean) + rounding
    right_variance = spread(right, right, right_mean * right_mean) + rounding
    least = np.float32(LEAST_CORRELATION * by_chance) * cv2.sqrt(left_variance * right_variance)
    across = share * _across(left, right, counted)
    return np.asarray((common > least) & (share > 0) & (across > LEAST_ACROSS * common))


def _across(left: FloatMap, right: FloatMap, counted: FloatMap) -> FloatMap:
    """
    What two details, 0 where not counted, have in common within the rows of a window.

    An edge along the rows has next to nothing there: it looks alike wherever it is matched.
    """
    row, column = (TEXTURE_WINDOW[0], 1), (1, TEXTURE_WINDOW[1])
    means = cv2.blur(left, row) * cv2.blur(right, row)
    least = np.float32(0.5 / TEXTURE_WINDOW[0])  # no row counts fewer than 1
    share = np.maximum(cv2.blur(counted, row), least)
    return cv2.blur(left * right, TEXTURE_WINDOW) - cv2.blur(means / share, column)


def _without_border(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Zero where a local mean has pixels on one side only, and takes smooth shade for detail."""
    height, width = mask.shape
    high, wide = min(MEAN_WINDOW[1] // 2, height // 4), min(MEAN_WINDOW[0] // 2, width // 4)
    inner = np.zeros(mask.shape, np.uint8)
    inside = np.s_[high : height - high, wide : width - wide]
    inner[inside] = mask[inside]
    return inner


def _sample(image: FloatMap, disparity: FloatMap) -> FloatMap:
    height, width = disparity.shape
    columns = np.arange(width, dtype=np.float32)[None] - disparity
    rows = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    return cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
