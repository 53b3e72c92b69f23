# SPDX-License-Identifier: Apache-2.0
"""Messages become commands; a number that is not set has the contract's default, 0 is a number."""

from __future__ import annotations

from typing import Any

from vizion3d_ros.contracts.annotation.request import (
    ObjectMaskAnnotation3DCommand,
    ObjectMaskAnnotation3DConfig,
)
from vizion3d_ros.contracts.mono_request import (
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)
from vizion3d_ros.contracts.stereo_request import StereoDepthAdvancedConfig, StereoDepthCommand
from vizion3d_ros.files.ply_reader import decode_ply


def stereo_command(request: Any) -> StereoDepthCommand:
    """Read a StereoDepthRequest. Raises pydantic.ValidationError, which names the field."""
    return StereoDepthCommand(
        left_image=request.left_image_bytes,
        right_image=request.right_image_bytes,
        model_backend=request.model_backend,
        return_depth_image=request.return_depth_image,
        return_raw_depth=False,
        return_point_cloud=request.return_point_cloud,
        advanced_config=StereoDepthAdvancedConfig(**_set(request.advanced_config)),
    )


def mono_command(request: Any) -> DepthEstimationCommand:
    """Read a DepthEstimationRequest, as stereo_command does."""
    return DepthEstimationCommand(
        image_input=request.image_bytes,
        model_backend=request.local_model_path or request.model_backend,
        return_depth_image=request.return_depth_image,
        return_raw_depth=False,
        return_point_cloud=request.return_point_cloud,
        advanced_config=DepthEstimationAdvanceConfig(**_set(request.advanced_config)),
    )


def annotation_command(request: Any) -> ObjectMaskAnnotation3DCommand:
    """Read an ObjectMaskAnnotation3DRequest; also InputError for what is no PLY file."""
    return ObjectMaskAnnotation3DCommand(
        point_cloud=decode_ply(request.point_cloud_ply, 'point_cloud_ply'),
        image_input=request.image_bytes or None,
        model_backend=request.model_backend,
        return_object_clouds=request.return_object_clouds,
        return_annotated_cloud=request.return_annotated_cloud,
        advanced_config=ObjectMaskAnnotation3DConfig(**_set(request.advanced_config)),
    )


def _set(config: Any) -> dict[str, float]:
    return {field.name: value for field, value in config.ListFields()}
