# SPDX-License-Identifier: Apache-2.0
"""The S2M2 backend: fit the pair to the network, run it, bring its maps back to the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.results import Match
from vizion3d_ros.engine.device import choose_device, enough_memory, every_core
from vizion3d_ros.engine.network_backend import NetworkBackend, answered_range, upload
from vizion3d_ros.engine.networks import s2m2
from vizion3d_ros.engine.weights import S2M2
from vizion3d_ros.geometry.resize import Fit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings

MULTIPLE = 32  # image sizes that the network takes
MOST_PIXELS = 4096 * 1024  # one table of matches is a gigabyte then
STEP_PX = 1 / 16  # its answers are continuous; what is smaller is noise
REMEDY = 'lower s2m2.max_width and s2m2.max_height, or choose a smaller checkpoint'


class S2m2Backend(NetworkBackend):
    """
    Neural matching on the CPU or a GPU; see StereoBackend for the contract.

    Every pixel is answered whose disparity fits min_depth and max_depth; confidence is the
    network's probability of an error below 4 px of its own size, visibility whether the right
    camera sees the pixel.
    """

    FAMILY = S2M2

    def __init__(self) -> None:
        super().__init__(s2m2.build)

    def match(
        self,
        left: NDArray[np.uint8],
        right: NDArray[np.uint8],
        rig: StereoRig,
        settings: StereoSettings,
    ) -> Match:
        """
        Match one pair, uint8 (H, W) or (H, W, 3) RGB of equal shape.

        Raises BackendError when no checkpoint can be loaded or memory does not suffice.
        """
        device = choose_device(settings.device)
        limits = settings.s2m2
        run = self._network(limits, device, limits.refine_iterations)
        height, width = left.shape[:2]
        fit = Fit.into(height, width, limits.max_height, limits.max_width, MULTIPLE)
        _check_size(fit)
        with torch.inference_mode(), every_core(device):
            pair = tuple(fit.apply(upload(image, device)) for image in (left, right))
            rows, columns = fit.padded_size
            with enough_memory(f'{limits.model_backend} at {columns}x{rows}', REMEDY):
                maps = run(*pair)
            disparity, visibility, confidence = (fit.undo(values)[0, 0] for values in maps)
            disparity = disparity * fit.width_ratio
            low, high = answered_range(rig, settings)
            disparity = torch.where((disparity >= low) & (disparity <= high), disparity, torch.nan)
            missing = disparity.isnan()
        return Match(
            disparity=disparity,
            confidence=confidence.masked_fill(missing, 0).clamp(0, 1),
            visibility=visibility.masked_fill(missing, 0).clamp(0, 1),
            min_disparity=low,
            max_disparity=high,
            step=STEP_PX * fit.width_ratio,
            backend_used=f'{self._checkpoint} (S2M2-{self._variant}, {self._ran_on})',
            checkpoint=self._checkpoint,
            licence=self._licence,
        )


def _check_size(fit: Fit) -> None:
    rows, columns = fit.padded_size
    if rows * columns > MOST_PIXELS:
        raise BackendError(
            f'the network would be given {columns}x{rows} pixels, {MOST_PIXELS} are the most that '
            'fit into memory: lower s2m2.max_width and s2m2.max_height, or scale_factor'
        )
