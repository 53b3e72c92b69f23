# SPDX-License-Identifier: Apache-2.0
"""
Confidence and visibility for a map that comes without.

The evidence is that of semi-global matching: how rough the map is around a pixel, and whether what
the right camera sees where the pixel was matched agrees. That is answered by the network itself on
the mirrored pair, or by the map: of two pixels that land on one the nearer is seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from vizion3d_ros.engine.sgbm.confidence import confidence, visibility
from vizion3d_ros.engine.sgbm.evidence import gather_evidence
from vizion3d_ros.engine.sgbm.matched_size import GreyPair
from vizion3d_ros.engine.sgbm.semiglobal import NO_MATCH, STEPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PX = 2047.0  # in 16ths of a pixel as int16
COARSE = 2  # evidence is gathered at this share of the size


def doubt(
    pair: dict[str, torch.Tensor], disparity: torch.Tensor, right: torch.Tensor | None
) -> dict[str, torch.Tensor]:
    """
    Judge a map by its images: confidence and visibility, float32 (h, w) in 0..1.

    pair: left and right, float (1, 3, h, w), RGB in 0..255. disparity: of the left view, float32
    (h, w) in pixels. right: the same of the right view; None = as the left one says. confidence is
    the probability that semi-global matching would have for such surroundings, times visibility,
    which is 1 / (1 + pixels between the two views).
    """
    height, width = disparity.shape
    found = _sixteenths(disparity)
    seen = _from_right(disparity) if right is None else right
    coarse = (max(1, width // COARSE), max(1, height // COARSE))
    small = cv2.resize(seen.numpy(), coarse, interpolation=cv2.INTER_NEAREST) * (coarse[0] / width)
    grey = GreyPair(_grey(pair['left']), _grey(pair['right']), 0, 0)
    evidence = gather_evidence(grey, found, _sixteenths(torch.from_numpy(small)))
    sure, visible = (
        torch.from_numpy(cv2.resize(values, (width, height)))
        for values in (confidence(found, evidence, 1.0), visibility(evidence, width))
    )
    visible[torch.arange(width) < disparity] = 0  # left of the right image
    return {'confidence': sure * visible, 'visibility': visible}


def _sixteenths(disparity: torch.Tensor) -> NDArray[np.int16]:
    """As semi-global matching has it: int16, NO_MATCH for what is no number."""
    rounded = (disparity.clamp(-MOST_PX, MOST_PX) * STEPS).round()
    return rounded.nan_to_num(nan=NO_MATCH).to(torch.int16).numpy()


def _from_right(disparity: torch.Tensor) -> torch.Tensor:
    """
    What the right view would find if the map is right: float32 (h, w), NaN where nothing lands.

    Every pixel goes to the two columns around where it lands; the nearest surface stays.
    """
    height, width = disparity.shape
    column = torch.arange(width) - disparity
    seen = torch.full((height, width), -torch.inf)
    for place in (column.floor(), column.ceil()):
        lands = (place >= 0) & (place < width)
        values = torch.where(lands, disparity, -torch.inf)
        index = place.nan_to_num(0).clamp(0, width - 1).long()
        seen.scatter_reduce_(1, index, values, 'amax')
    return seen.masked_fill(seen.isinf(), torch.nan)


def _grey(image: torch.Tensor) -> NDArray[np.uint8]:
    pixels = image[0].permute(1, 2, 0).clamp(0, 255).round().to(torch.uint8).cpu().numpy()
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
