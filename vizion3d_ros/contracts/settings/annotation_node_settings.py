# SPDX-License-Identifier: Apache-2.0
"""Every setting of the node that finds the points of objects."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings
from vizion3d_ros.contracts.settings.node_settings import FIXED, StreamSettings
from vizion3d_ros.contracts.settings.stereo_settings import SyncSettings


class AnnotationNodeSettings(StreamSettings, AnnotationSettings):
    """Settings of annotation_node: where objects and points come from, and what comes out."""

    backend: Literal['masks', 'segmenter'] = Field(
        'masks',
        description='What finds the objects: masks = a detector, by instances/image; segmenter = '
        'the network of model_backend, in left/image_rect',
        json_schema_extra=FIXED,
    )
    cloud: Literal['depth', 'points2'] = Field(
        'depth',
        description='Where the points come from: depth = depth/image, points2 = points2',
        json_schema_extra=FIXED,
    )
    box: Literal['aligned', 'oriented'] = Field(
        'aligned',
        description='Boxes of detections_3d: along the axes of the frame, or those of the object',
    )
    min_points: int = Field(
        10, ge=1, le=1_000_000, description='Objects of fewer points are left out'
    )
    sync: SyncSettings = SyncSettings()

    @property
    def checkpoint(self) -> str:
        """What the segmenter loads, '' for masks."""
        return self.model_backend if self.backend == 'segmenter' else ''

    @property
    def loaded(self) -> dict[str, Any]:
        """The settings by which something has to be loaded."""
        names = ('backend', 'model_backend', 'sha256')
        return {name: getattr(self, name) for name in names}
