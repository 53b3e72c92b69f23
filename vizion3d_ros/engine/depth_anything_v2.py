# SPDX-License-Identifier: Apache-2.0
"""
The Depth Anything V2 backend: fit the image to the network, run it, bring its map back.

Sizes, filters and constants are those of the authors' own image path:
docs/networks/depth_anything_v2.md, section 2.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.results import Estimate
from vizion3d_ros.engine.device import choose_device, enough_memory, every_core
from vizion3d_ros.engine.network_backend import NetworkBackend, upload
from vizion3d_ros.engine.networks import depth_anything_v2
from vizion3d_ros.engine.networks.depth_anything_v2 import PATCH
from vizion3d_ros.engine.weights import DEPTH_ANYTHING_V2

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.settings.mono_settings import DepthAnythingSettings, MonoSettings

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet; RGB in 0..1
TRAINED_TO_M = {'hypersim': 20.0, 'vkitti': 80.0}  # largest depth, by a part of the file's name
MOST_PIXELS = 4096 * 1024  # that the network is given; an image ten times as wide as high
REMEDY = 'lower depth_anything_v2.input_size, or choose a smaller checkpoint'


class DepthAnythingBackend(NetworkBackend):
    """Depth from one image on the CPU or a GPU; see MonoBackend for the contract."""

    FAMILY = DEPTH_ANYTHING_V2

    def __init__(self) -> None:
        super().__init__(depth_anything_v2.build)

    def estimate(self, image: NDArray[np.uint8], settings: MonoSettings) -> Estimate:
        """
        Estimate one image, uint8 (H, W) or (H, W, 3) RGB.

        Raises BackendError when no checkpoint can be loaded, memory does not suffice, or the
        image is so long and narrow that it never would.
        """
        device, chosen = choose_device(settings.device), settings.depth_anything_v2
        height, width = image.shape[:2]
        rows, columns = network_size(height, width, chosen.input_size)
        max_depth = metric_max_depth(chosen)
        run = self._network(chosen, device, max_depth)
        task = f'{chosen.model_backend} at {columns}x{rows}'
        with torch.inference_mode(), every_core(device), enough_memory(task, REMEDY):
            (values,) = run(_normalised(upload(image, device), (rows, columns)))
            values = F.interpolate(
                values[None], (height, width), mode='bilinear', align_corners=True
            )
        kind = 'relative' if max_depth is None else f'metric to {max_depth:g} m'
        return Estimate(
            values=values[0, 0],
            metric=max_depth is not None,
            backend_used=f'{self._checkpoint} ({DEPTH_ANYTHING_V2.name} {self._variant}, {kind}, '
            f'{self._ran_on})',
            checkpoint=self._checkpoint,
            licence=self._licence,
        )


def network_size(height: int, width: int, input_size: int) -> tuple[int, int]:
    """
    Height and width that the network sees of an image.

    Both are multiples of 14, neither is below input_size, and the aspect ratio is kept up to
    that. Raises InputError for an image so long and narrow that it becomes too large.
    """
    share = max(input_size / height, input_size / width)
    rows, columns = (_patches(share * side, input_size) * PATCH for side in (height, width))
    if rows * columns > MOST_PIXELS:
        raise InputError(
            f'an image of {width}x{height} would become {columns}x{rows} in the network, which '
            f'takes {MOST_PIXELS} pixels at most: lower depth_anything_v2.input_size (now '
            f'{input_size}), or crop the image'
        )
    return rows, columns


def _patches(side: float, least: int) -> int:
    nearest = round(side / PATCH)
    return nearest if nearest * PATCH >= least else math.ceil(side / PATCH)


def metric_max_depth(settings: DepthAnythingSettings) -> float | None:
    """Metres that a metric checkpoint was trained for, None for a relative one."""
    if settings.metric_max_depth > 0:
        return settings.metric_max_depth
    name = PurePosixPath(settings.model_backend).name.lower()
    return next((metres for part, metres in TRAINED_TO_M.items() if part in name), None)


def _normalised(image: Tensor, size: tuple[int, int]) -> Tensor:
    """
    Resize and normalise (1, 3, h, w) in 0..255: (1, 3, *size).

    No antialiasing even when shrinking, and no clipping: the network was trained like that.
    """
    mean, deviation = _mean_and_deviation(image.device)
    image = F.interpolate(image, size, mode='bicubic', align_corners=False)
    return image.sub_(mean).div_(deviation)


@lru_cache(maxsize=8)
def _mean_and_deviation(device: torch.device) -> tuple[Tensor, Tensor]:
    """Of values in 0..255, each (1, 3, 1, 1); kept, as copying them makes a GPU wait."""
    with torch.inference_mode(False):
        both = 255 * torch.tensor((MEAN, DEVIATION), dtype=torch.float64)
        mean, deviation = both.float().to(device).reshape(2, 1, 3, 1, 1)
    return mean, deviation
