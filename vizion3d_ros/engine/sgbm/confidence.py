# SPDX-License-Identifier: Apache-2.0
"""
Confidence: the probability that a match is less than a pixel off, from what surrounds it.

Visibility: how well what the right view found agrees with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from vizion3d_ros.engine.sgbm.evidence import relief, sampled_at
from vizion3d_ros.engine.sgbm.semiglobal import NO_MATCH, STEPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.engine.sgbm.evidence import Evidence

    FloatMap = NDArray[np.float32]

SUPPORT_WINDOW = (31, 31)
RELIEF_WINDOW = 5
# Logistic regression over five public pairs in all presets (benchmarks/sgbm_confidence.py), made
# gentler by 0.7, so that balanced is right by itself.
WEIGHTS = (-0.445, -0.506, -0.299)
BIAS = 0.4
# What is left of each cue where it speaks for the match alone: pixels, pixels, share.
LEAST_CUES = (0.05, 0.1, 0.02)


def confidence(found: NDArray[np.int16], evidence: Evidence, ratio: float) -> FloatMap:
    """
    Probability of an error below one pixel of the full image, float32 at the evidence's size.

    found: 16ths of a matched pixel, int16 (h, w), NO_MATCH where there is none.
    ratio: full-size pixels in a matched one.

    The odds of an error are e^-BIAS times the cues, each to the power of its weight.
    """
    logit = np.full(evidence.roughness.shape, BIAS, np.float32)
    for weight, cue in zip(WEIGHTS, cues(found, evidence, ratio), strict=True):
        cv2.scaleAdd(cue, weight, logit, logit)
    return 1 / (1 + cv2.exp(-logit))


def visibility(evidence: Evidence, width: int) -> FloatMap:
    """
    1 where the right view found the same, float32 (h, w); width: of the image.

    1 / (1 + d), d pixels of the full image between the two.
    """
    ratio = width / evidence.disagreement.shape[1]
    return 1 / (1 + np.float32(ratio) * evidence.disagreement)


def cues(found: NDArray[np.int16], evidence: Evidence, ratio: float) -> list[FloatMap]:
    """
    Logarithms of what speaks against a match, each float32 at the size of the evidence.

    Mean step between neighbours before any doubt, range of the disparities within 5 x 5, both in
    pixels of the full image, and the share without a match of 31 x 31.
    """
    half = sampled_at(found, evidence.roughness.shape)
    spread = np.maximum(relief(half, RELIEF_WINDOW), 0) * np.float32(ratio / STEPS)
    missing = cv2.blur((half == NO_MATCH).astype(np.float32), SUPPORT_WINDOW)
    against = evidence.roughness * np.float32(ratio), spread, missing
    return [
        np.asarray(cv2.log(cue + np.float32(least)), np.float32)
        for cue, least in zip(against, LEAST_CUES, strict=True)
    ]
