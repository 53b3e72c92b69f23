# SPDX-License-Identifier: Apache-2.0
"""What is asked of the pipeline."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, model_validator
from typing_extensions import Self

from vizion3d_ros.contracts.base import Contract
from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.settings import StereoSettings


class Output(Enum):
    """What a caller can ask for beyond disparity; nothing else is computed."""

    DEPTH = 'depth'
    CLOUD = 'cloud'


def _check_image(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey_or_rgb = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not grey_or_rgb or image.size == 0:
        raise ValueError(
            'image must be uint8 of shape (H, W) or (H, W, 3) in RGB order, '
            f'got {image.dtype} of shape {image.shape}'
        )
    return image


ImageArray = Annotated[np.ndarray, AfterValidator(_check_image)]


class StereoCommand(Contract):
    """
    One rectified pair to turn into disparity and, as asked, depth and points.

    left, right: uint8, (H, W) grey or (H, W, 3) RGB, same shape, row-aligned.
    """

    left: ImageArray
    right: ImageArray
    rig: StereoRig
    settings: StereoSettings = StereoSettings()
    outputs: frozenset[Output] = frozenset()

    @model_validator(mode='after')
    def _same_size(self) -> Self:
        expected = (self.rig.left.height, self.rig.left.width)
        sizes = {'left': self.left.shape, 'right': self.right.shape}
        for side, shape in sizes.items():
            if shape[:2] != expected:
                raise ValueError(
                    f'{side} image is {shape[1]}x{shape[0]} but the calibration is for '
                    f'{expected[1]}x{expected[0]}: use the camera_info of these images'
                )
        if self.left.shape != self.right.shape:
            raise ValueError(
                f'left image has shape {self.left.shape}, right {self.right.shape}: '
                'both must be grey or both RGB'
            )
        return self
