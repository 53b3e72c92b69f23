# SPDX-License-Identifier: Apache-2.0
"""The stereo backend of ONNX files: fit the pair to the network, run it, bring its maps back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vizion3d_ros.contracts.results import Match
from vizion3d_ros.engine.device import choose_device, enough_memory, every_core
from vizion3d_ros.engine.network_backend import answered_range, upload
from vizion3d_ros.engine.onnx.backend import OnnxBackend
from vizion3d_ros.engine.onnx.doubt import doubt
from vizion3d_ros.geometry.resize import Fit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
    from vizion3d_ros.engine.onnx.model import OnnxModel

    Maps = dict[str, torch.Tensor]

STEP_PX = 1 / 16  # its answers are continuous; what is smaller is noise
REMEDY = 'export the network for a smaller size, or choose a smaller one'
BEHIND_PX, MOST = -0.5, 0.99  # that share of a map below that is no noise around 0
SMALL = 0.5  # of either side of the network: most of what it works on is padding then


class OnnxStereoBackend(OnnxBackend):
    """
    Neural matching by ONNX Runtime; see StereoBackend for the contract.

    Every pixel is answered whose disparity fits min_depth and max_depth. confidence and
    visibility are those of the network; of one that answers neither they come from the map
    itself and the images, or from the mirrored pair (onnx.left_right_check).
    """

    STEREO = True

    def match(
        self,
        left: NDArray[np.uint8],
        right: NDArray[np.uint8],
        rig: StereoRig,
        settings: StereoSettings,
    ) -> Match:
        """
        Match one pair, uint8 (H, W) or (H, W, 3) RGB of equal shape.

        Raises BackendError when the file cannot be loaded or memory does not suffice.
        """
        device = choose_device(settings.device)
        model = self._loaded(settings.onnx, settings.device)
        height, width = left.shape[:2]
        fit = Fit.onto(height, width, model.size, model.profile.multiple)
        self._tell_once(_too_small(fit, model))
        rows, columns = model.size
        with torch.inference_mode(), every_core(device):
            pair = {
                name: fit.apply(upload(image, device))
                for name, image in (('left', left), ('right', right))
            }
            with enough_memory(f'{model.path} at {columns}x{rows}', REMEDY):
                maps = _maps(model, pair, settings.onnx.left_right_check)
            low, high = answered_range(rig, settings)
            if low >= 0:
                self._tell_once(_wrong_sign(maps['disparity'], model))
            maps = {
                name: fit.undo(values.to(device)[None, None])[0, 0]
                for name, values in maps.items()
            }
            disparity = maps['disparity'] * fit.width_ratio
            disparity = torch.where((disparity >= low) & (disparity <= high), disparity, torch.nan)
            missing = disparity.isnan()
        return Match(
            disparity=disparity,
            confidence=maps['confidence'].masked_fill(missing, 0).clamp(0, 1),
            visibility=maps['visibility'].masked_fill(missing, 0).clamp(0, 1),
            min_disparity=low,
            max_disparity=high,
            step=STEP_PX * fit.width_ratio,
            backend_used=model.described,
            checkpoint=str(model.path),
            licence=model.licence,
        )


def _maps(model: OnnxModel, pair: Maps, left_right_check: bool) -> Maps:
    """Disparity, confidence and visibility, float32 (h, w); what the network lacks is added."""
    maps = model.run(pair)
    if 'confidence' in maps and 'visibility' in maps:
        return maps
    seen_from_right = None
    if left_right_check:
        mirrored = {'left': pair['right'].flip(-1), 'right': pair['left'].flip(-1)}
        seen_from_right = model.run(mirrored)['disparity'].flip(-1)
    return {**doubt(pair, maps['disparity'], seen_from_right), **maps}


def _wrong_sign(disparity: torch.Tensor, model: OnnxModel) -> str:
    """Say that all is behind the horizon, which means that it is counted the other way round."""
    if (disparity < BEHIND_PX).float().mean() < MOST:
        return ''
    return (
        f'{model.path} answers disparities below 0: if it counts them from right to left, write '
        'output: {sign: -1} into its profile'
    )


def _too_small(fit: Fit, model: OnnxModel) -> str:
    """Say that most of the network's work is for nothing; '' if it is not."""
    rows, columns = model.size
    if max(fit.inner_height / rows, fit.inner_width / columns) >= SMALL:
        return ''
    return (
        f'{model.path} is made for {columns}x{rows}, images of {fit.width}x{fit.height} leave '
        'most of that empty: export it for their size, which is faster'
    )
