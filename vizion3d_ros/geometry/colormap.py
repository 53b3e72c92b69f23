# SPDX-License-Identifier: Apache-2.0
"""Float maps to pictures a person can read."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor


def colorize(values: Tensor, low: float, high: float) -> Tensor:
    """
    Viridis picture, uint8 (H, W, 3) BGR: low is dark violet, high yellow, NaN black.

    values: float (H, W). Viridis is perceptually uniform: equal steps look equal. The range is
    the caller's and fixed, so that a video does not flicker.
    """
    scale = 254 / (high - low) if high > low else 0.0
    level = ((values - low) * scale).clamp_(0, 254) + 1
    index = level.nan_to_num_(nan=0.0).to(torch.int64)
    return _palette(values.device)[index]


@lru_cache(maxsize=4)
def _palette(device: torch.device) -> Tensor:
    ramp = np.linspace(0, 255, 255).round().astype(np.uint8)[:, None]
    colors = cv2.applyColorMap(ramp, cv2.COLORMAP_VIRIDIS)[:, 0]
    black_first = np.concatenate([np.zeros((1, 3), np.uint8), colors])
    return torch.from_numpy(black_first).to(device)
