# SPDX-License-Identifier: Apache-2.0
"""Service requests become commands of the vizion3d contract, within what the operator allows."""

from __future__ import annotations

import math
from typing import Any

from sensor_msgs.msg import Image

from vizion3d_interfaces.srv import RunDepthEstimation, RunStereoDepth
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.image_source import ImageSource
from vizion3d_ros.contracts.mono_request import (
    DepthEstimationAdvanceConfig,
    DepthEstimationCommand,
)
from vizion3d_ros.contracts.settings.node_settings import RequestSettings
from vizion3d_ros.contracts.stereo_request import StereoDepthAdvancedConfig, StereoDepthCommand
from vizion3d_ros.incoming.images import image_to_array
from vizion3d_ros.requests.known_camera import METRIC_FIELDS
from vizion3d_ros.requests.permissions import (
    permitted_model,
    permitted_network,
    permitted_path,
)
from vizion3d_ros.requests.pictures import picture_limits, read_image
from vizion3d_ros.ros.messages.rare_encodings import in_known_encoding

# Where 0 is no possible value, it stands for "not given", as a message has no other word for it.
STEREO_ZERO_IS_UNSET = ('fy', 'scale_factor', 'min_depth_mm', 'max_depth_mm')
MONO_ZERO_IS_UNSET = ('fx', 'fy', 'cx', 'cy', 'depth_scale', 'depth_trunc')


def stereo_command(
    request: RunStereoDepth.Request, own_model: str, limits: RequestSettings, mono16_bits: int
) -> StereoDepthCommand:
    """
    Read a stereo request; own_model: the checkpoint that may be named without permission.

    Raises InputError or pydantic.ValidationError, which name the field.
    """
    left, right = (
        image_source(request, f'{side}_image', limits, mono16_bits) for side in ('left', 'right')
    )
    return StereoDepthCommand(
        left_image=left,
        right_image=right,
        model_backend=permitted_model(request.model_backend, own_model, limits.allowed_models),
        return_depth_image=request.return_depth_image,
        return_point_cloud=request.return_point_cloud,
        advanced_config=StereoDepthAdvancedConfig(**_stereo_config(request)),
    )


def mono_command(
    request: RunDepthEstimation.Request, own_model: str, limits: RequestSettings, mono16_bits: int
) -> DepthEstimationCommand:
    """Read a request for one image, as stereo_command does."""
    source = image_source(request, 'image', limits, mono16_bits)
    return DepthEstimationCommand(
        # Read here already, where the field has the name that the caller knows.
        image_input=read_image(source, 'image', picture_limits(limits)),
        model_backend=_checkpoint(request, own_model, limits.allowed_models),
        return_depth_image=request.return_depth_image,
        return_point_cloud=request.return_point_cloud,
        advanced_config=DepthEstimationAdvanceConfig(
            **given(request.advanced_config, MONO_ZERO_IS_UNSET)
        ),
    )


def _stereo_config(request: RunStereoDepth.Request) -> dict[str, float]:
    """
    The numbers of a request; those at their default are left out, as a message cannot tell.

    Where a point and a length in pixels or metres are given, the others count as given too.
    """
    values = given(request.advanced_config, STEREO_ZERO_IS_UNSET)
    defaults = given(RunStereoDepth.Request().advanced_config, STEREO_ZERO_IS_UNSET)
    changed = {name: value for name, value in values.items() if value != defaults.get(name)}
    whole = {'cx', 'cy'} & changed.keys() and {*METRIC_FIELDS} & changed.keys()
    return values if whole else changed


def _checkpoint(request: RunDepthEstimation.Request, own_model: str, allowed: list[str]) -> str:
    """The checkpoint that is named in either of two fields."""
    field = 'local_model_path' if request.local_model_path else 'model_backend'
    return permitted_network(getattr(request, field), own_model, allowed, field)


def image_source(
    request: Any, name: str, limits: RequestSettings, mono16_bits: int
) -> ImageSource:
    """Take the one way in which the request gives an image."""
    encoded, message = getattr(request, f'{name}_bytes'), getattr(request, name)
    path = getattr(request, f'{name}_path')
    ways = {f'{name}_bytes': len(encoded), name: message.width, f'{name}_path': len(path)}
    given = [way for way, size in ways.items() if size]
    if len(given) != 1:
        got = ' and '.join(given) or 'none'
        raise InputError(f'{name}: expected exactly one of {", ".join(ways)}, got {got}')
    if path:
        return permitted_path(path, limits.allowed_input_dirs, f'{name}_path')
    return bytes(encoded) if len(encoded) else _pixels(message, name, limits, mono16_bits)


def _pixels(message: Image, name: str, limits: RequestSettings, mono16_bits: int) -> ImageSource:
    if message.width * message.height > limits.max_pixels:
        raise InputError(
            f'{name}: is {message.width}x{message.height}, expected at most {limits.max_pixels} '
            'pixels: send a smaller image, or let the operator raise requests.max_pixels'
        )
    try:
        return image_to_array(in_known_encoding(message), mono16_bits)
    except InputError as error:
        raise InputError(f'{name}: {error}') from error


def given(config: Any, zero_is_unset: tuple[str, ...]) -> dict[str, float]:
    """The fields of a config message that the caller has filled in."""
    values = {name: getattr(config, name) for name in config.get_fields_and_field_types()}
    return {
        name: value
        for name, value in values.items()
        if not math.isnan(value) and not (value == 0 and name in zero_is_unset)
    }
