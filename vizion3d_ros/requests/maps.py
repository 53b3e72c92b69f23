# SPDX-License-Identifier: Apache-2.0
"""Maps on the device to arrays of an answer, where 0.0 instead of NaN means: nothing there."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def span(values: Tensor) -> tuple[float, float]:
    """Smallest and largest of a map (H, W) but for NaN; 0.0 and 0.0 if nothing is left."""
    low = values.nan_to_num(nan=torch.inf).amin()
    high = values.nan_to_num(nan=-torch.inf).amax()
    return (float(low), float(high)) if low <= high else (0.0, 0.0)


def without_nan(values: Tensor) -> NDArray[np.float32]:
    """The map with 0.0 for NaN, float32 (H, W)."""
    return to_array(values.nan_to_num(nan=0.0))


def to_array(values: Tensor) -> NDArray[Any]:
    """The same numbers, of any shape, in the memory of this machine."""
    return values.cpu().numpy()
