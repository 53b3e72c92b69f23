# SPDX-License-Identifier: Apache-2.0
"""The one-camera backend of ONNX files: bring the image to the network, run it, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import interpolate

from vizion3d_ros.contracts.results import Estimate
from vizion3d_ros.engine.device import choose_device, enough_memory, every_core
from vizion3d_ros.engine.network_backend import upload
from vizion3d_ros.engine.onnx.backend import OnnxBackend

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vizion3d_ros.contracts.settings.mono_settings import MonoSettings

REMEDY = 'export the network for a smaller size, or choose a smaller one'
STRETCHED = 1.1  # beyond, things look broader or narrower than what the network has learnt


class OnnxMonoBackend(OnnxBackend):
    """Depth from one image by ONNX Runtime; see MonoBackend for the contract."""

    STEREO = False

    def estimate(self, image: NDArray[np.uint8], settings: MonoSettings) -> Estimate:
        """
        Estimate one image, uint8 (H, W) or (H, W, 3) RGB.

        The image is stretched to the size of the network: one whose shape is another should be
        answered by a network that was exported for it. Raises BackendError when the file cannot
        be loaded or memory does not suffice.
        """
        device = choose_device(settings.device)
        model = self._loaded(settings.onnx, settings.device)
        (height, width), (rows, columns) = image.shape[:2], model.size
        self._tell_once(_stretched(height, width, model.size))
        kind = model.profile.output.kind
        task = f'{model.path} at {columns}x{rows}'
        with torch.inference_mode(), every_core(device), enough_memory(task, REMEDY):
            pixels = interpolate(upload(image, device), model.size, mode='bicubic')
            values = model.run({'image': pixels})[kind].to(device)
            values = interpolate(
                values[None, None], (height, width), mode='bilinear', align_corners=True
            )
        return Estimate(
            values=values[0, 0],
            metric=kind == 'depth',
            backend_used=model.described,
            checkpoint=str(model.path),
            licence=model.licence,
        )


def _stretched(height: int, width: int, size: tuple[int, int]) -> str:
    """Say that the image has another shape than the network; '' if it has not."""
    ratio = width / height / (size[1] / size[0])
    small = height < size[0] and width < size[1]  # nothing of it is lost, as of what warms it up
    if small or max(ratio, 1 / ratio) <= STRETCHED:
        return ''
    return (
        f'images of {width}x{height} are stretched to the {size[1]}x{size[0]} of the network: '
        'export it for their shape, which is more exact'
    )
