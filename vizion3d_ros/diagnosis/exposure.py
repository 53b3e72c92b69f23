# SPDX-License-Identifier: Apache-2.0
"""One image on its own: too dark, saturated, or without anything that could be recognised."""

from __future__ import annotations

import cv2
import numpy as np

from vizion3d_ros.diagnosis.views import Pixels

DARK = 40  # grey level that 99 of 100 pixels of a dark image stay below
FEW_LEVELS = 3  # what 10 bits leave of 256 levels where 16 are expected
SHIFT = '; or, if its pixels have 16 bits of which few are used, set mono16_bits or shift them up'
BLACK = 12  # the same of an image that cannot be anything but a covered lens or the night
SATURATED = 250
MOST_SATURATED = 0.5
NEIGHBOURHOOD = 9
MOST_SHADING = 150.0  # grey levels from dark to bright on a wall whose corners get less light
MOST_NOISE = 6.0  # grey levels in a shrunk image; what deviates more everywhere is texture
TAIL = 3.6  # deviations of noise that 99.5 of 100 pixels stay below, and some room


def is_dark(sampled: Pixels) -> bool:
    """Whether next to nothing of an image, uint8 (h, w), is brighter than a night."""
    return _brightest(sampled) <= DARK


def is_black(sampled: Pixels) -> bool:
    """Whether an image, uint8 (h, w), is black but for its noise."""
    return _brightest(sampled) <= BLACK


def saturated_share(sampled: Pixels) -> float:
    """Share of the pixels of an image, uint8 (h, w), that are as bright as pixels get."""
    return float((sampled >= SATURATED).mean())


def is_blank(small: Pixels) -> bool:
    """
    Whether an image, uint8 (h, w), shows nothing but noise, as of a plain wall.

    Noise deviates from its neighbourhood alike everywhere; a single poster on a wall does not.
    """
    smooth = cv2.blur(small.astype(np.float32), (NEIGHBOURHOOD, NEIGHBOURHOOD))
    half = NEIGHBOURHOOD // 2
    deviation = np.abs(small - smooth)[half:-half, half:-half]
    if not deviation.size or np.ptp(np.percentile(smooth[::4, ::4], (2, 98))) > MOST_SHADING:
        return False
    noise = float(np.median(deviation)) / 0.6745
    return noise < MOST_NOISE and float(np.percentile(deviation, 99.5)) < TAIL * noise + 1.5


def is_saturated(sampled: Pixels) -> bool:
    """Whether most of an image, uint8 (h, w), is as bright as pixels get."""
    return saturated_share(sampled) > MOST_SATURATED


def explain_exposure(name: str, sampled: Pixels, dark: bool, saturated: bool) -> str:
    """
    Say that an image is dark or saturated, '' if it is neither; name: left image, for example.

    sampled: uint8 (h, w). dark, saturated: as the caller judges, who knows whether it can be
    matched still.
    """
    if dark:
        return (
            f'{name} is dark (mean {sampled.mean():.0f} of 255): take the cap off its lens, add '
            f'light, or raise its exposure{SHIFT if sampled.max() <= FEW_LEVELS else ""}'
        )
    if saturated:
        return (
            f'{name} is saturated ({saturated_share(sampled):.0%} of its pixels are white): lower '
            'its exposure or gain, or shade its lens'
        )
    return ''


def _brightest(sampled: Pixels) -> float:
    return float(np.percentile(sampled, 99))
