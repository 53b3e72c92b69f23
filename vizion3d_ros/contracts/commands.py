# SPDX-License-Identifier: Apache-2.0
"""What is asked of the pipeline."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, InstanceOf, model_validator
from typing_extensions import Self

from vizion3d_ros.contracts.annotation.instances import Segmentation
from vizion3d_ros.contracts.base import Contract
from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.metric_scale import SparseDepth
from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings

XYZ = 3


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

    @property
    def image(self) -> NDArray[np.uint8]:
        """The image whose pixels the answer has: the left one, (H, W) or (H, W, 3)."""
        return self.left

    @model_validator(mode='after')
    def _same_size(self) -> Self:
        _check_size('left image', self.left, self.rig.left)
        _check_size('right image', self.right, self.rig.left)
        if self.left.shape != self.right.shape:
            raise ValueError(
                f'left image has shape {self.left.shape}, right {self.right.shape}: '
                'both must be grey or both RGB'
            )
        return self


class MonoCommand(Contract):
    """
    One image to turn into depth, relative or metric as the checkpoint is, and points as asked.

    image: uint8, (H, W) grey or (H, W, 3) RGB. camera: None = unknown, and then no points.
    sparse_depth: measured at some pixels of the image, gives a relative answer its scale; None =
    nothing was measured. stamp_ns: when the image was taken, for those who compare images.
    """

    image: ImageArray
    camera: Intrinsics | None
    settings: MonoSettings = MonoSettings()
    outputs: frozenset[Output] = frozenset()
    sparse_depth: InstanceOf[SparseDepth] | None = None
    stamp_ns: int = 0

    @model_validator(mode='after')
    def _same_size(self) -> Self:
        if self.camera is not None:
            _check_size('image', self.image, self.camera)
        return self


def _check_points(points: NDArray[np.float32]) -> NDArray[np.float32]:
    if points.dtype != np.float32 or points.ndim not in (2, 3) or points.shape[-1] != XYZ:
        raise ValueError(
            'points must be float32 of shape (N, 3) or (H, W, 3), '
            f'got {points.dtype} of shape {points.shape}'
        )
    return points


class AnnotationCommand(Contract):
    """
    A cloud, and the objects in the image of its camera, or the image to find them in.

    points: float32 (N, 3) or (H, W, 3), metres, optical frame (x right, y down, z forward) of the
    camera; what is not finite, or not in front of the camera, belongs to no object. camera: of
    the image, rectified. image: uint8 (H, W) grey or (H, W, 3) RGB. objects: found already; None:
    a segmenter looks for them in the image.
    """

    points: Annotated[np.ndarray, AfterValidator(_check_points)]
    camera: Intrinsics
    image: ImageArray | None = None
    objects: InstanceOf[Segmentation] | None = None
    settings: AnnotationSettings = AnnotationSettings()

    @model_validator(mode='after')
    def _same_size(self) -> Self:
        if self.image is None and self.objects is None:
            raise ValueError('expected an image or the objects in it, got neither')
        if self.image is not None:
            _check_size('image', self.image, self.camera)
        if self.objects is not None:
            _check_masks(self.objects, self.camera)
        return self


def _check_masks(objects: Segmentation, camera: Intrinsics) -> None:
    if (objects.height, objects.width) != (camera.height, camera.width):
        raise ValueError(
            f'masks are {objects.width}x{objects.height} but the image of the camera is '
            f'{camera.width}x{camera.height}: give masks of that size, or the camera of the masks'
        )


def _check_size(name: str, image: NDArray[np.uint8], camera: Intrinsics) -> None:
    height, width = image.shape[:2]
    if (height, width) != (camera.height, camera.width):
        raise ValueError(
            f'{name} is {width}x{height} but the calibration is for '
            f'{camera.width}x{camera.height}: use the camera_info of these images'
        )
