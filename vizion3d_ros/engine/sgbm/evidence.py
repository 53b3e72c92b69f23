# SPDX-License-Identifier: Apache-2.0
"""What speaks for or against a match: the other view, the pixels themselves, the neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.engine.sgbm.matched_size import GreyPair

    FloatMap = NDArray[np.float32]

MEAN_WINDOW = (9, 9)
RESIDUAL_WINDOW = (3, 3)
GREY_NOISE = 2.0
SUPPORT_WINDOW = (31, 31)
RELIEF_WINDOW = 7
RELIEF_PX = 4.0
# Matching picks where noise happens to agree: correlations up to 0.19 at 2 grey levels of it.
TEXTURE_WINDOW = (31, 31)
LEAST_CORRELATION = 0.2
# In grey levels squared: rounding a smooth shade leaves 0.08, and that in both views alike.
ROUNDING_VARIANCE = 0.3


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    Cues per left pixel at the matched size, float32 (h, w); meaningless where no match is.

    disagreement: pixels between the match and what the right view found there.
    residual: difference of the two matched neighbourhoods relative to their contrast, 0 = equal.
    gradient: mean horizontal gradient of a wide neighbourhood, in grey levels per two pixels.
    """

    disagreement: FloatMap
    residual: FloatMap
    gradient: FloatMap


def gather_evidence(pair: GreyPair, disparity: FloatMap, right: FloatMap) -> Evidence:
    """
    Look up every left pixel on the right.

    disparity: float32 (h, w) pixels, any finite value where there is no match.
    right: disparity of the right view in the same pixels, maybe as a smaller map.
    """
    left_detail, right_detail = detail(pair.left), detail(pair.right)
    size = pair.left.shape[1], pair.left.shape[0]
    window = np.ones((3, 3), np.uint8)
    bounds = [
        cv2.resize(spread, size, interpolation=cv2.INTER_NEAREST)
        for spread in (cv2.erode(right, window), cv2.dilate(right, window))
    ]
    seen = _sample(cv2.merge([right_detail, *bounds]), disparity)
    contrast = cv2.blur(np.abs(left_detail), MEAN_WINDOW)
    difference = cv2.blur(cv2.absdiff(left_detail, seen[..., 0]), RESIDUAL_WINDOW)
    slope = cv2.Sobel(pair.left, cv2.CV_32F, 1, 0, ksize=1)
    outside = np.maximum(seen[..., 1] - disparity, disparity - seen[..., 2])
    return Evidence(
        disagreement=np.maximum(outside, np.float32(0)),
        residual=difference / (contrast + np.float32(GREY_NOISE)),
        gradient=cv2.blur(np.abs(slope), SUPPORT_WINDOW),
    )


def shows_texture(
    pair: GreyPair, disparity: FloatMap, matched: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """
    Whether the two views have texture in common where they were matched, bool (h, w).

    disparity: float32 (h, w) pixels, any finite value where there is no match.
    matched: bool (h, w), the pixels that may tell.

    Noise of two sensors is independent, so that matched neighbourhoods of a blank area hardly
    correlate, however strong the noise; those of a real texture do, however weak it is. At half
    size noise is averaged, and rows that are a pixel off matter less.
    """
    height, width = disparity.shape
    size = max(1, width // 2), max(1, height // 2)
    left, right = (
        detail(cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_AREA))
        for image in (pair.left, pair.right)
    )
    shift = cv2.resize(disparity, size, interpolation=cv2.INTER_NEAREST)
    seen = _sample(right, shift * np.float32(size[0] / width))
    told = cv2.resize(matched.view(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    counted = _without_border(told).astype(np.float32)
    shown = _correlated(left, seen, counted).view(np.uint8)
    return cv2.resize(shown, (width, height), interpolation=cv2.INTER_NEAREST) > 0


def detail(image: NDArray[np.uint8] | FloatMap) -> FloatMap:
    """Image without its local mean, which two cameras seldom share; float32 (h, w)."""
    smooth = image.astype(np.float32)
    return smooth - cv2.blur(smooth, MEAN_WINDOW)


def relief(disparity: FloatMap, window: int) -> FloatMap:
    """Largest minus smallest disparity of a window, float32 (h, w); NaN is left out."""
    missing, box = np.isnan(disparity), np.ones((window, window), np.uint8)
    high = cv2.dilate(np.where(missing, np.float32(-1e6), disparity), box)
    low = cv2.erode(np.where(missing, np.float32(1e6), disparity), box)
    return np.maximum(high - low, np.float32(0))


def texture(image: NDArray[np.uint8], cap: int, window: int) -> FloatMap:
    """Horizontal Sobel gradient, clipped at cap and summed over a window; float32 (h, w)."""
    gradient = np.minimum(np.abs(cv2.Sobel(image, cv2.CV_16S, 1, 0)), np.int16(cap))
    return cv2.boxFilter(gradient.astype(np.float32), -1, (window, window), normalize=False)


def confidence(disparity: FloatMap, residual: FloatMap) -> FloatMap:
    """
    Rank matches by their expected error, float32 (h, w) in 0..1; 0 where disparity is NaN.

    disparity: float32 (h, w) pixels. residual: float32 (h, w), see Evidence.

    confidence = s * sqrt(1 / (1 + r / 4 px) / (1 + q)), with s the matched share of a 31 x 31
    neighbourhood, r the range of disparities within 7 x 7 and q the residual.
    """
    matched = np.isfinite(disparity)
    share = cv2.blur(matched.astype(np.float32), SUPPORT_WINDOW)
    doubt = (1 + relief(disparity, RELIEF_WINDOW) / np.float32(RELIEF_PX)) * (1 + residual)
    return np.where(matched, share / np.sqrt(doubt), np.float32(0))


def _correlated(left: FloatMap, right: FloatMap, told: FloatMap) -> NDArray[np.bool_]:
    """Whether two details correlate around a pixel; told: 1 for those that count, else 0."""
    share = np.maximum(cv2.blur(told, TEXTURE_WINDOW), np.float32(1e-3))

    def mean(values: FloatMap) -> FloatMap:
        return cv2.blur(values * told, TEXTURE_WINDOW) / share

    left_mean, right_mean = mean(left), mean(right)
    common = mean(left * right) - left_mean * right_mean
    left_variance = mean(left * left) - left_mean**2 + ROUNDING_VARIANCE
    right_variance = mean(right * right) - right_mean**2 + ROUNDING_VARIANCE
    return common > LEAST_CORRELATION * np.sqrt(left_variance * right_variance)


def _without_border(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Zero where a local mean has pixels on one side only, and takes smooth shade for detail."""
    height, width = mask.shape
    high, wide = min(MEAN_WINDOW[1] // 2, height // 4), min(MEAN_WINDOW[0] // 2, width // 4)
    inner = np.zeros_like(mask)
    inside = np.s_[high : height - high, wide : width - wide]
    inner[inside] = mask[inside]
    return inner


def _sample(image: FloatMap, disparity: FloatMap) -> FloatMap:
    height, width = disparity.shape
    columns = np.arange(width, dtype=np.float32)[None] - disparity
    rows = np.repeat(np.arange(height, dtype=np.float32)[:, None], width, axis=1)
    return cv2.remap(image, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
