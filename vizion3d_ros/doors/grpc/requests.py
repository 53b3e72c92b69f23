# SPDX-License-Identifier: Apache-2.0
"""Messages become commands; a number that is not set has the contract's default, 0 is a number."""

from __future__ import annotations

from typing import Any

from vizion3d_ros.contracts.mono_request import (
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)
from vizion3d_ros.contracts.stereo_request import StereoDepthAdvancedConfig, StereoDepthCommand


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


def _set(config: Any) -> dict[str, float]:
    return {field.name: value for field, value in config.ListFields()}
