# SPDX-License-Identifier: Apache-2.0
"""OpenCV's semi-global matcher, on padded pairs so that every column of a view is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vizion3d_ros.engine.sgbm.matched_size import GreyPair
from vizion3d_ros.engine.sgbm.search_range import BLOCK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.settings.stereo_settings import SgbmSettings

NO_MATCH = -(2**15)
STEPS = 16  # the matcher's disparities are 16ths of a pixel
UNCHECKED = 2**20  # a left-right difference that never occurs, which switches the check off
KEPT_MATCHERS = 2  # one per view
MODES = {
    'sgbm': cv2.STEREO_SGBM_MODE_SGBM,
    'hh': cv2.STEREO_SGBM_MODE_HH,
    '3way': cv2.STEREO_SGBM_MODE_SGBM_3WAY,
}


class SemiGlobal:
    """
    Matches both views; keeps the matchers, whose buffers are costly to allocate per frame.

    Not for use by several threads at a time.
    """

    def __init__(self) -> None:
        self._matchers: dict[tuple[int, ...], Any] = {}

    def match_left(self, pair: GreyPair, settings: SgbmSettings) -> NDArray[np.int16]:
        """
        Disparity of the left view in 16ths of a pixel, int16 (h, w); NO_MATCH where none.

        Uniqueness and the matcher's own left-right check are applied; what it found beyond
        the border of the right image is dropped.
        """
        checks = settings.disp12_max_diff, round(settings.uniqueness_ratio)
        found = self._match(pair, settings, checks)
        width = found.shape[1]
        column = np.arange(width, dtype=np.int32) * STEPS
        # Only columns closer to the border than the search reaches can be concerned.
        begin, end = max(pair.first + pair.count, 0), width - max(-pair.first, 0)
        left, right = found[:, :begin], found[:, max(end, 0) :]
        np.copyto(left, NO_MATCH, where=left > column[:begin])
        np.copyto(right, NO_MATCH, where=right < column[max(end, 0) :] - (width - 1) * STEPS)
        return found

    def match_right_coarsely(
        self, pair: GreyPair, settings: SgbmSettings, width: int, height: int
    ) -> NDArray[np.int16]:
        """
        Disparity of the right view at this size and in 16ths of its pixels, int16 (height, width).

        At half size it is an eighth of the work, and an opinion of its own, as the
        matcher's check only derives the right view from the costs of the left one.
        """
        coarse = pair.resized(width, height)
        # Mirrored and swapped, the right view is matched as if it were the left one.
        left, right = (
            np.asarray(cv2.flip(image, 1), np.uint8) for image in (coarse.right, coarse.left)
        )
        mirrored = GreyPair(left, right, coarse.first, coarse.count)
        found = self._match(mirrored, settings, (UNCHECKED, 0))
        return np.asarray(cv2.flip(found, 1), np.int16)

    def _match(
        self, pair: GreyPair, settings: SgbmSettings, checks: tuple[int, int]
    ) -> NDArray[np.int16]:
        # The matcher skips columns that lie closer to the border than the largest disparity,
        # and refuses images narrower than half a block.
        before = max(pair.first + pair.count, 0)
        after = max(-pair.first, settings.correlation_window_size - pair.left.shape[1], 0)
        padded = (
            cv2.copyMakeBorder(image, 0, 0, before, after, cv2.BORDER_REPLICATE)
            for image in (pair.left, pair.right)
        )
        matcher = self._matcher(settings, checks)
        matcher.setMinDisparity(pair.first)
        matcher.setNumDisparities(pair.count)
        found = matcher.compute(*padded)[:, before : before + pair.left.shape[1]].copy()
        np.copyto(found, NO_MATCH, where=found < pair.first * STEPS)
        return found

    def _matcher(self, settings: SgbmSettings, checks: tuple[int, int]) -> Any:
        # In the order of StereoSGBM_create; the disparities change with the pair, and its
        # speckle filter is off, ours comes later.
        wanted = (
            *(0, BLOCK, settings.correlation_window_size),
            *(round(settings.P1), round(settings.P2), checks[0]),
            *(settings.prefilter_cap, checks[1], 0, 0, MODES[settings.sgbm_mode]),
        )
        if wanted not in self._matchers:
            if len(self._matchers) >= KEPT_MATCHERS:
                self._matchers.clear()
            self._matchers[wanted] = cv2.StereoSGBM_create(*wanted)
        return self._matchers[wanted]


def to_pixels(found: NDArray[np.int16]) -> NDArray[np.float32]:
    """
    16ths to pixels, int16 (h, w) to float32 with NaN for NO_MATCH.

    The matcher's parabola is replaced by two equal slopes.

    Absolute differences grow linearly around their minimum, where a parabola pulls disparities
    to whole pixels (Shimizu and Okutomi, "Sub-pixel estimation error cancellation on area-based
    matching", IJCV 2005). The offset p of a parabola is the offset 2p / (1 + 2|p|) of slopes.
    """
    return PIXELS.take(found.view(np.uint16))


def _pixels() -> NDArray[np.float32]:
    """Pixels that each of the matcher's numbers stands for, float32 (65536,), by its bits."""
    sixteenths = np.arange(STEPS, dtype=np.float32)
    # OpenCV rounds offsets below a whole pixel towards it, by one 16th on average.
    above, below = sixteenths, STEPS + 1 - sixteenths
    fractions = np.where(sixteenths <= STEPS / 2, above / (above + 8), 1 - below / (below + 8))
    found = np.arange(2**16, dtype=np.uint16).view(np.int16)
    pixels = (found >> 4) + fractions[found & (STEPS - 1)]
    pixels[found == NO_MATCH] = np.nan
    return pixels.astype(np.float32)


PIXELS = _pixels()
