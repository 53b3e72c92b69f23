# SPDX-License-Identifier: Apache-2.0
"""The semi-global backend: match, doubt, close gaps, scale back. Needs OpenCV only."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vizion3d_ros.contracts.results import Match
from vizion3d_ros.engine.sgbm.confidence import confidence, visibility
from vizion3d_ros.engine.sgbm.evidence import gather_evidence, relief, texture
from vizion3d_ros.engine.sgbm.holes import fill
from vizion3d_ros.engine.sgbm.matched_size import prepare_pair, to_full_size
from vizion3d_ros.engine.sgbm.scene_range import in_scene
from vizion3d_ros.engine.sgbm.search_range import find_search_range
from vizion3d_ros.engine.sgbm.semiglobal import NO_MATCH, STEPS, SemiGlobal, to_pixels
from vizion3d_ros.engine.sgbm.surfaces import refine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.settings.stereo_settings import SgbmSettings, StereoSettings
    from vizion3d_ros.engine.sgbm.evidence import Evidence
    from vizion3d_ros.engine.sgbm.matched_size import GreyPair
    from vizion3d_ros.engine.sgbm.search_range import SearchRange

    FloatMap = NDArray[np.float32]

# Chosen on five public scenes, each near the knee of error against coverage.
COARSE_PX = 2.0  # what the coarse right view can tell, in its pixels
WORST_RESIDUAL = 1.0
LEAST_GRADIENT = 0.1
LARGEST_JUMP_PX = 16
FILLED_CONFIDENCE = 0.05

logger = logging.getLogger(__name__)


class SgbmBackend:
    """
    Semi-global matching on the CPU; see StereoBackend for the contract.

    Only what lands inside the right image and is in the searched range is matched. Gaps that
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
        height, width = left.shape[:2]
        pair = prepare_pair(left, right, searched, settings.sgbm)
        found, evidence = self._match_pair(pair, settings.sgbm, width, height)
        ratio = width / found.shape[1]
        disparity, filled = _closed(found, pair, searched, settings.sgbm, (height, width))
        unmatched = np.isnan(disparity) | filled
        confident = _enlarged(confidence(found, evidence, ratio), unmatched)
        confident[filled] = FILLED_CONFIDENCE
        visible = _enlarged(visibility(evidence, width), unmatched)
        return Match(
            disparity=disparity,
            confidence=confident,
            visibility=visible,
            min_disparity=searched.low,
            max_disparity=searched.high,
            step=ratio / STEPS,
            calibrated=True,
            backend_used=f'sgbm ({settings.sgbm.sgbm_mode}, OpenCV {cv2.__version__})',
        )

    def _match_pair(
        self, pair: GreyPair, settings: SgbmSettings, width: int, height: int
    ) -> tuple[NDArray[np.int16], Evidence]:
        """16ths of a pixel of the pair, int16 (h, w), and what speaks for them."""
        # Half the rows, and square pixels: half the columns as well would be too few of a pair
        # that has lost some to the preset.
        rows = max(1, pair.left.shape[0] // 2)
        columns = max(1, round(rows * width / height))
        coarse_right = self._matcher.match_right_coarsely(pair, settings, columns, rows)
        narrowed = in_scene(pair, coarse_right)
        found = _without_outliers(self._matcher.match_left(narrowed, settings))
        evidence = gather_evidence(pair, found, coarse_right)
        np.copyto(found, NO_MATCH, where=_doubtful(pair, evidence, settings))
        np.copyto(found, NO_MATCH, where=relief(found, 3) > LARGEST_JUMP_PX * STEPS)
        _drop_islands(found, settings, width, height)
        return found, evidence

    def _tell_once(self, note: str) -> None:
        if note and note not in self._told:
            self._told.add(note)
            logger.warning(note)


def _without_outliers(found: NDArray[np.int16]) -> NDArray[np.int16]:
    smooth = cv2.medianBlur(found, 5)
    return np.where((found == NO_MATCH) | (smooth == NO_MATCH), found, smooth)


def _doubtful(pair: GreyPair, evidence: Evidence, settings: SgbmSettings) -> NDArray[np.bool_]:
    coarse = evidence.disagreement > COARSE_PX * max(1, settings.disp12_max_diff)
    coarse |= evidence.residual > WORST_RESIDUAL
    coarse |= evidence.gradient < LEAST_GRADIENT
    coarse |= ~evidence.textured
    height, width = pair.left.shape
    enlarged = cv2.resize(coarse.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    doubt = enlarged.view(np.bool_)
    if settings.texture_threshold:
        gradient = texture(pair.left, settings.prefilter_cap, settings.correlation_window_size)
        doubt |= gradient < settings.texture_threshold
    return np.asarray(doubt, np.bool_)


def _closed(
    found: NDArray[np.int16],
    pair: GreyPair,
    searched: SearchRange,
    settings: SgbmSettings,
    shape: tuple[int, int],
) -> tuple[FloatMap, NDArray[np.bool_]]:
    """Disparity of the full image, its gaps closed as asked, and which of it was filled."""
    height, width = shape
    rows, columns = height / found.shape[0], width / found.shape[1]
    disparity = to_pixels(found) * np.float32(columns)
    known = _answerable(disparity, searched, width)
    np.copyto(disparity, np.nan, where=~known)
    # First what was matched, for itself: it is the same whatever is filled.
    refine(disparity, pair.left, (rows, columns), known)
    filled = fill(disparity, settings.fill, columns)
    if settings.fill == 'dense':
        refine(disparity, pair.left, (rows, columns), filled)
    np.clip(disparity, searched.low, searched.high, out=disparity)
    disparity = to_full_size(disparity, width, height)
    filled = cv2.resize(filled.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    unknown = ~_answerable(disparity, searched, width)
    if settings.fill == 'dense':
        return disparity, (filled.view(np.bool_) | unknown) & ~np.isnan(disparity)
    np.copyto(disparity, np.nan, where=unknown & (filled == 0))
    return disparity, filled.view(np.bool_)


def _enlarged(values: FloatMap, missing: NDArray[np.bool_]) -> FloatMap:
    """Full size, float32 (H, W), 0 where missing, bool (H, W)."""
    height, width = missing.shape
    full = np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR))
    np.copyto(full, 0, where=missing)
    return full


def _drop_islands(
    found: NDArray[np.int16], settings: SgbmSettings, width: int, height: int
) -> None:
    """Small ones in pixels of the full image, width x height."""
    size = round(settings.speckle_size * found.size / (width * height))
    step = round(settings.speckle_range * STEPS * found.shape[1] / width)
    cv2.filterSpeckles(found, NO_MATCH, size, step)


def _answerable(disparity: FloatMap, searched: SearchRange, width: int) -> NDArray[np.bool_]:
    """
    Whether a disparity is in range and lands inside the right image; bool, as the map.

    disparity: of any size, in pixels of the full image, which has that width.
    """
    ratio = width / disparity.shape[1]
    column = (np.arange(disparity.shape[1], dtype=np.float32) + 0.5) * ratio - 0.5
    lowest = np.maximum(column - (width - 1), searched.low)
    highest = np.minimum(column, searched.high)
    answerable: NDArray[np.bool_] = (disparity >= lowest) & (disparity <= highest)
    return answerable
