# SPDX-License-Identifier: Apache-2.0
"""What the backends of networks have in common: bytes in, one network in use, a bound memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

import torch

from vizion3d_ros.contracts.errors import DownloadError
from vizion3d_ros.engine.device import choose_precision, enough_memory
from vizion3d_ros.engine.loading import loading
from vizion3d_ros.engine.replay import accelerate
from vizion3d_ros.engine.weights import Family, Shapes, check_name, load, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from vizion3d_ros.contracts.camera import StereoRig
    from vizion3d_ros.contracts.settings.node_settings import NetworkSettings, TorchSettings
    from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
    from vizion3d_ros.engine.replay import Run
    from vizion3d_ros.engine.weights import ModelFile

RETRY_S = 10.0  # trying takes seconds, which frames and requests would wait for each time


class Finder:
    """Finds checkpoints; one that could not be fetched is asked for again after a while."""

    def __init__(self) -> None:
        self._unavailable, self._reason, self._retry_at = ('', ''), '', 0.0

    def find(self, settings: NetworkSettings, family: Family | None = None) -> ModelFile:
        """Give the file that the settings name, as resolve does."""
        asked = (settings.checkpoint, settings.sha256)
        if asked == self._unavailable and time.monotonic() < self._retry_at:
            raise DownloadError(self._reason)
        try:
            return resolve(settings.checkpoint, family, settings.sha256)
        except DownloadError as error:
            self._unavailable, self._reason = asked, str(error)
            self._retry_at = time.monotonic() + RETRY_S
            raise


class NetworkBackend:
    """
    Holds the network of a backend.

    The checkpoint is loaded with the first image, and again when the settings name another; if
    that fails, the one in use stays.
    """

    FAMILY: ClassVar[Family]

    def __init__(self, build: Callable[..., nn.Module]) -> None:
        """Take what makes a network with random weights: build(variant, *options)."""
        self._build = build
        self._key: tuple[object, ...] = ()
        self._run: Run | None = None
        self._checkpoint = self._variant = self._licence = self._ran_on = ''
        self._finder = Finder()

    @classmethod
    def check(cls, settings: TorchSettings) -> None:
        """Raise BackendError if it is plain that the checkpoint cannot be had; loads nothing."""
        check_name(settings.model_backend, cls.FAMILY)

    def _network(self, settings: TorchSettings, device: torch.device, *options: object) -> Run:
        """
        Return the network that the settings name, built with these options.

        Raises BackendError when no checkpoint can be loaded or memory does not suffice.
        """
        precision = choose_precision(settings.precision, device)
        key = (settings.model_backend, settings.sha256, settings.compile, precision, device)
        wanted = (*key, *options)
        if self._run is None or wanted != self._key:
            with loading():
                self._run = self._loaded(settings, device, precision, options)
            self._key = wanted
        return self._run

    def _loaded(
        self,
        settings: TorchSettings,
        device: torch.device,
        precision: torch.dtype,
        options: tuple[object, ...],
    ) -> Run:
        file = self._finder.find(settings, self.FAMILY)
        checkpoint = load(file, self.FAMILY, lambda name: self._shapes(name, options))
        network = self._empty(checkpoint.variant, options)
        network.load_state_dict(checkpoint.tensors, assign=True)
        with enough_memory(f'{checkpoint.path} on {device}', 'choose a smaller checkpoint'):
            network = network.requires_grad_(False).to(device, precision)
        run = accelerate(network, settings.compile, device)
        self._checkpoint, self._variant = str(checkpoint.path), checkpoint.variant
        self._licence = checkpoint.licence
        self._ran_on = f'{precision}, {device}'
        return run

    def _empty(self, variant: str, options: tuple[object, ...]) -> nn.Module:
        with torch.device('meta'):
            return self._build(variant, *options)

    def _shapes(self, variant: str, options: tuple[object, ...]) -> Shapes:
        entries = self._empty(variant, options).state_dict()
        return {name: tuple(value.shape) for name, value in entries.items()}


def upload(image: NDArray[np.uint8], device: torch.device) -> Tensor:
    """uint8 (H, W) or (H, W, 3) to float32 (1, 3, H, W); what travels is bytes, not floats."""
    # Views of what a bag holds are read-only, which torch warns of though it only reads.
    pixels = torch.as_tensor(image if image.flags.writeable else image.copy(), device=device)
    pixels = pixels.permute(2, 0, 1) if pixels.ndim == 3 else pixels.expand(3, *pixels.shape)
    return pixels[None].to(torch.float32)


def answered_range(rig: StereoRig, settings: StereoSettings) -> tuple[float, float]:
    """Lowest and highest disparity that is answered, in pixels before doffs."""
    if rig.focal_baseline is None:
        return 0.0, float(rig.left.width)
    depths = settings.max_depth, settings.min_depth
    low, high = (rig.focal_baseline / depth - rig.doffs for depth in depths)
    return low, high
