# SPDX-License-Identifier: Apache-2.0
"""The S2M2 backend: fit the pair to the network, run it, bring its maps back to the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.contracts.results import Match
from vizion3d_ros.engine.device import choose_device, choose_precision, every_core
from vizion3d_ros.engine.networks import s2m2
from vizion3d_ros.engine.replay import accelerate
from vizion3d_ros.engine.weights import S2M2, Shapes, load, resolve
from vizion3d_ros.geometry.resize import Fit

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.stereo_settings import S2m2Settings, StereoSettings

    Run = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]

MULTIPLE = 32  # image sizes that the network takes
STEP_PX = 1 / 16  # its answers are continuous; what is smaller is noise


class S2m2Backend:
    """
    Neural matching on the CPU or a GPU; see StereoBackend for the contract.

    Every pixel is answered whose disparity fits min_depth and max_depth; confidence is the
    network's probability of an error below 4 px of its own size, visibility whether the right
    camera sees the pixel. The checkpoint is loaded with the first pair, and again when the
    settings name another; if that fails, the one in use stays.
    """

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._run: Run | None = None
        self._name = self._checkpoint = ''

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
        run = self._network(settings.s2m2, device)
        limits = settings.s2m2
        height, width = left.shape[:2]
        fit = Fit.into(height, width, limits.max_height, limits.max_width, MULTIPLE)
        with torch.inference_mode(), every_core(device):
            pair = tuple(fit.apply(_upload(image, device)) for image in (left, right))
            maps = _guarded(run, pair, limits)
            disparity, visibility, confidence = (fit.undo(values)[0, 0] for values in maps)
            disparity = disparity * fit.width_ratio
            low, high = _searched(rig, settings)
            disparity = torch.where((disparity >= low) & (disparity <= high), disparity, torch.nan)
            missing = disparity.isnan()
        return Match(
            disparity=disparity,
            confidence=confidence.masked_fill(missing, 0).clamp(0, 1),
            visibility=visibility.masked_fill(missing, 0).clamp(0, 1),
            min_disparity=low,
            max_disparity=high,
            step=STEP_PX * fit.width_ratio,
            backend_used=self._name,
            checkpoint=self._checkpoint,
        )

    def _network(self, settings: S2m2Settings, device: torch.device) -> Run:
        precision = choose_precision(settings.precision, device)
        key = (settings.model_backend, settings.sha256, settings.refine_iterations)
        wanted = (*key, settings.compile, precision, device)
        if self._run is None or wanted != self._key:
            checkpoint = load(
                resolve(settings.model_backend, S2M2, settings.sha256), S2M2, _shapes
            )
            with torch.device('meta'):
                network = s2m2.build(checkpoint.variant, settings.refine_iterations)
            network.load_state_dict(checkpoint.tensors, assign=True)
            network = network.requires_grad_(False).to(device, precision)
            self._run = accelerate(network, settings.compile, device)
            self._key = wanted
            self._checkpoint = str(checkpoint.path)
            self._name = f'{checkpoint.path} (S2M2-{checkpoint.variant}, {precision}, {device})'
        return self._run


def _shapes(variant: str) -> Shapes:
    with torch.device('meta'):
        network = s2m2.build(variant)
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def _upload(image: NDArray[np.uint8], device: torch.device) -> Tensor:
    """uint8 (H, W) or (H, W, 3) to float32 (1, 3, H, W); what travels is bytes, not floats."""
    pixels = torch.as_tensor(image, device=device)
    pixels = pixels.permute(2, 0, 1) if pixels.ndim == 3 else pixels.expand(3, *pixels.shape)
    return pixels[None].to(torch.float32)


def _searched(rig: StereoRig, settings: StereoSettings) -> tuple[float, float]:
    """Lowest and highest disparity that is answered, in pixels before doffs."""
    if rig.focal_baseline is None:
        return 0.0, float(rig.left.width)
    depths = settings.max_depth, settings.min_depth
    low, high = (rig.focal_baseline / depth - rig.doffs for depth in depths)
    return low, high


def _guarded(run: Run, pair: tuple[Tensor, ...], settings: S2m2Settings) -> tuple[Tensor, ...]:
    try:
        return run(*pair)
    except (torch.OutOfMemoryError, MemoryError) as error:
        torch.cuda.empty_cache()
        raise BackendError(
            f'not enough memory for {settings.model_backend} at {pair[0].shape[-1]}x'
            f'{pair[0].shape[-2]}: lower s2m2.max_width and s2m2.max_height, or choose a smaller '
            f'checkpoint ({error})'
        ) from error
