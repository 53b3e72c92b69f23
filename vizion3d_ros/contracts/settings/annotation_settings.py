# SPDX-License-Identifier: Apache-2.0
"""Every setting of the annotation pipeline."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vizion3d_ros.contracts.base import Contract
from vizion3d_ros.contracts.settings.node_settings import FIXED


class AnnotationSettings(Contract):
    """How objects are found in images, and their points in clouds."""

    device: str = Field(
        'auto',
        pattern=r'^(auto|cpu|cuda(:\d+)?)$',
        description='Where networks and geometry run: auto, cpu, cuda or cuda:N',
        json_schema_extra=FIXED,
    )
    model_backend: str = Field(
        '',
        description='Segmenter: a Mask R-CNN checkpoint of torchvision, or a model of Ultralytics '
        '(*-seg.pt); empty = the one that is installed',
    )
    sha256: str = Field(
        '',
        pattern=r'^([0-9a-fA-F]{64})?$',
        description='What the checkpoint must have; empty = any',
    )
    conf_threshold: float = Field(
        0.25, ge=0.0, le=1.0, description='Objects of lower confidence are left out'
    )
    iou_threshold: float = Field(
        0.45, ge=0.0, le=1.0, description='Overlap above which two boxes of a class are one object'
    )
    surface: Literal['dominant', 'all'] = Field(
        'dominant',
        description='Points of a mask: dominant = the object, without what is seen past its edge '
        'and through it; all = every one that the camera sees',
    )

    @property
    def checkpoint(self) -> str:
        """What the segmenter loads."""
        return self.model_backend
