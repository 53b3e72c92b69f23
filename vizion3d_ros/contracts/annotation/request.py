# SPDX-License-Identifier: Apache-2.0
"""
The vizion3d contract of 3D annotation: what a Python call or a service asks for.

Names, defaults and units are vizion3d's. Fields that vizion3d lacks are marked so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field, PlainValidator

from vizion3d_ros.contracts.annotation.cloud import ColoredPoints
from vizion3d_ros.contracts.base import Contract
from vizion3d_ros.contracts.image_source import ImageSource
from vizion3d_ros.contracts.pixels import FocalPx, PositionPx

COLUMNS = 3


def _check_cloud(cloud: object) -> object:
    if isinstance(cloud, ColoredPoints) or (hasattr(cloud, 'points') and hasattr(cloud, 'colors')):
        return cloud
    if isinstance(cloud, np.ndarray) and cloud.ndim == 2 and cloud.shape[1] == COLUMNS:
        return ColoredPoints(cloud)
    got = f'an array of shape {cloud.shape}' if isinstance(cloud, np.ndarray) else type(cloud)
    raise ValueError(
        'expected an open3d PointCloud, or points of shape (N, 3) in metres, x right, y up, '
        f'z backward, got {got}'
    )


def _check_mask(mask: object) -> np.ndarray:
    array = np.asarray(mask)
    if array.ndim != 2 or not array.size or array.dtype not in (np.bool_, np.uint8):
        raise ValueError(
            f'expected bool or uint8 of shape (H, W), got {array.dtype} of shape {array.shape}'
        )
    return array != 0


CloudSource = Annotated[Any, PlainValidator(_check_cloud)]


class InstanceMask(Contract):
    """An object that the caller has found (our addition); mask: bool or uint8 (H, W)."""

    mask: Annotated[np.ndarray, PlainValidator(_check_mask)]
    label: str = ''
    class_id: int = -1
    confidence: float = Field(1.0, ge=0.0, le=1.0)


def _of_one_size(masks: Sequence[InstanceMask] | None) -> Sequence[InstanceMask] | None:
    shapes = sorted({each.mask.shape for each in masks or ()})
    if len(shapes) > 1:
        raise ValueError(f'expected masks of one size, got (H, W) of {shapes}')
    return masks


class ObjectMaskAnnotation3DConfig(Contract):
    """Camera of the cloud, and what counts as an object."""

    fx: FocalPx | None = Field(None, description='None: 0.85 * width of the image')
    fy: FocalPx | None = Field(None, description='None: 0.85 * width of the image')
    cx: PositionPx | None = Field(None, description='None: width / 2')
    cy: PositionPx | None = Field(None, description='None: height / 2')
    conf_threshold: float = Field(
        0.25, ge=0.0, le=1.0, description='Objects of lower confidence are left out'
    )
    iou_threshold: float = Field(
        0.45, ge=0.0, le=1.0, description='Overlap above which two boxes of a class are one object'
    )
    surface: Literal['dominant', 'all'] = Field(
        'dominant',
        description='dominant: of the points that the camera sees in a mask, those of the object; '
        'all: every one of them (our addition)',
    )


class ObjectMaskAnnotation3DCommand(Contract):
    """
    A cloud, and the image in which its objects are found.

    point_cloud: open3d PointCloud, or ColoredPoints or float (N, 3) (our additions); metres,
    x right, y up, z backward, seen from the camera. image_input: path, encoded bytes or pixels;
    None: drawn from the cloud. model_backend: '' for the segmenter at hand, a Mask R-CNN
    checkpoint of torchvision ('maskrcnn-resnet50-fpn-v2', address or path), or a model of
    Ultralytics such as 'yolo26l-seg.pt'. masks (our addition): the caller's own objects instead
    of a segmenter's.
    """

    point_cloud: CloudSource
    image_input: ImageSource | None = None
    model_backend: str = ''
    return_object_clouds: bool = False
    return_annotated_cloud: bool = False
    advanced_config: ObjectMaskAnnotation3DConfig = ObjectMaskAnnotation3DConfig()
    masks: Annotated[tuple[InstanceMask, ...] | None, AfterValidator(_of_one_size)] = None
