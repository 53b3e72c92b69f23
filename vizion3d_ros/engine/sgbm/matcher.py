# SPDX-License-Identifier: Apache-2.0
"""The semi-global backend: match, doubt, close gaps, scale back. Needs OpenCV only."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vizion3d_ros.contracts.results import Match
from vizion3d_ros.engine.sgbm.evidence import (
    confidence,
    gather_evidence,
    relief,
    shows_texture,
    texture,
)
from vizion3d_ros.engine.sgbm.holes import fill_gaps
from vizion3d_ros.engine.sgbm.matched_size import prepare_pair, to_full_size
from vizion3d_ros.engine.sgbm.search_range import find_search_range
from vizion3d_ros.engine.sgbm.semiglobal import NO_MATCH, STEPS, SemiGlobal, to_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.settings.stereo_settings import SgbmSettings, StereoSettings
    from vizion3d_ros.engine.sgbm.evidence import Evidence
    from vizion3d_ros.engine.sgbm.matched_size import GreyPair
    from vizion3d_ros.engine.sgbm.search_range import SearchRange

    FloatMap = NDArray[np.float32]

# Chosen on five public scenes, each near the knee of error against coverage.
COARSE_PX = 2  # what the half-size right view can tell
WORST_RESIDUAL = 1.0
LEAST_GRADIENT = 0.1
LARGEST_JUMP_PX = 16.0
FILLED_CONFIDENCE = 0.05

logger = logging.getLogger(__name__)


class SgbmBackend:
    """
    Semi-global matching on the CPU; see StereoBackend for the contract.

    Only what lands inside the right image and is in the searched range is answered. Gaps that
    were closed without a match have visibility 0 and confidence 0.05.
    """

    def __init__(self) -> None:
        self._matcher = SemiGlobal()
        self._told: set[str] = set()

    def match(
        self,
        left: NDArray[np.uint8],
        right: NDArray[np.uint8],
        rig: StereoRig,
        settings: StereoSettings,
    ) -> Match:
        """
        Match one pair, uint8 (H, W) or (H, W, 3) in any channel order, of equal shape.

        Raises BackendError when no disparity of the search range fits into the image.
        """
        searched = find_search_range(rig, settings)
        self._tell_once(searched.note)
        pair = prepare_pair(left, right, searched, settings.sgbm)
        ratio = left.shape[1] / pair.left.shape[1]
        disparity, confident, visible = (
            to_full_size(values, left.shape[1], left.shape[0])
            for values in self._match_pair(pair, settings.sgbm, ratio)
        )
        missing = ~_answerable(disparity, searched)
        disparity[missing] = np.nan
        confident[missing] = visible[missing] = 0
        return Match(
            disparity=disparity,
            confidence=confident,
            visibility=visible,
            min_disparity=searched.low,
            max_disparity=searched.high,
            step=ratio / STEPS,
            backend_used=f'sgbm ({settings.sgbm.sgbm_mode}, OpenCV {cv2.__version__})',
        )

    def _match_pair(
        self, pair: GreyPair, settings: SgbmSettings, ratio: float
    ) -> tuple[FloatMap, FloatMap, FloatMap]:
        """Disparity in full-size pixels, confidence, visibility; float32 (h, w) of the pair."""
        found = self._matcher.match_left(pair, settings)
        coarse_right = self._matcher.match_right_coarsely(pair, settings)
        found = _without_outliers(found)
        disparity = to_pixels(found)
        evidence = gather_evidence(pair, disparity, coarse_right)
        found[_doubtful(pair, evidence, settings)] = NO_MATCH
        found[~shows_texture(pair, disparity, found != NO_MATCH)] = NO_MATCH
        disparity[found == NO_MATCH] = np.nan
        found[relief(disparity, 3) > LARGEST_JUMP_PX] = NO_MATCH
        _drop_islands(found, settings, ratio)
        disparity[found == NO_MATCH] = np.nan
        confident = confidence(disparity, evidence.residual)
        visible = np.where(found == NO_MATCH, 0, 1 / (1 + evidence.disagreement))
        if settings.fill_gaps:
            confident[fill_gaps(disparity)] = FILLED_CONFIDENCE
        return disparity * np.float32(ratio), confident, visible.astype(np.float32)

    def _tell_once(self, note: str) -> None:
        if note and note not in self._told:
            self._told.add(note)
            logger.warning(note)


def _without_outliers(found: NDArray[np.int16]) -> NDArray[np.int16]:
    smooth = cv2.medianBlur(found, 5)
    return np.where((found == NO_MATCH) | (smooth == NO_MATCH), found, smooth)


def _doubtful(pair: GreyPair, evidence: Evidence, settings: SgbmSettings) -> NDArray[np.bool_]:
    doubt = evidence.disagreement > COARSE_PX * max(1, settings.disp12_max_diff)
    doubt |= evidence.residual > WORST_RESIDUAL
    doubt |= evidence.gradient < LEAST_GRADIENT
    if settings.texture_threshold:
        gradient = texture(pair.left, settings.prefilter_cap, settings.correlation_window_size)
        doubt |= gradient < settings.texture_threshold
    return np.asarray(doubt, np.bool_)


def _drop_islands(found: NDArray[np.int16], settings: SgbmSettings, ratio: float) -> None:
    size = round(settings.speckle_size / ratio**2)
    cv2.filterSpeckles(found, NO_MATCH, size, round(settings.speckle_range * STEPS / ratio))


def _answerable(disparity: FloatMap, searched: SearchRange) -> NDArray[np.bool_]:
    """Whether a disparity is in range and lands inside the right image; bool (H, W)."""
    last = disparity.shape[1] - 1
    column = np.arange(last + 1, dtype=np.float32)
    lowest, highest = np.maximum(column - last, searched.low), np.minimum(column, searched.high)
    answerable: NDArray[np.bool_] = (disparity >= lowest) & (disparity <= highest)
    return answerable
