# SPDX-License-Identifier: Apache-2.0
"""
What a form of each route holds, and the command that it becomes.

The numbers are those of the contract, with its names, ranges and defaults; they lie flat in the
form. What a form has beyond these fields is ignored, as vizion3d does.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from fastapi import UploadFile
from pydantic import BaseModel, ConfigDict, Field

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

Config = TypeVar('Config', bound=BaseModel)


class Asked(BaseModel):
    """What both forms ask for."""

    model_config = ConfigDict(extra='ignore')

    model_backend: str = Field(
        '', description='Empty: what the server runs anyway; else what its operator allows'
    )
    return_depth_image: bool = False
    return_point_cloud: bool = False


class StereoForm(Asked, StereoDepthAdvancedConfig):
    """The form of /lifting/stereo-depth; the baseline is in millimetres."""

    model_config = ConfigDict(extra='ignore')

    left_image: UploadFile
    right_image: UploadFile


class MonoForm(Asked, DepthEstimationAdvanceConfig):
    """The form of /lifting/depth-estimation."""

    model_config = ConfigDict(extra='ignore')

    image: UploadFile


class AnnotationForm(ObjectMaskAnnotation3DConfig):
    """The form of /annotation/object-mask-annotation-3d; without an image one is drawn."""

    model_config = ConfigDict(extra='ignore')

    model_backend: str = Field(
        '', description='Empty: what the server runs anyway; else what its operator allows'
    )
    return_object_clouds: bool = False
    return_annotated_cloud: bool = False
    point_cloud_ply: UploadFile
    image: UploadFile | None = None


async def stereo_command(form: StereoForm) -> StereoDepthCommand:
    """Read the files of a form."""
    return StereoDepthCommand(
        left_image=await form.left_image.read(),
        right_image=await form.right_image.read(),
        return_raw_depth=False,
        advanced_config=_config(form, StereoDepthAdvancedConfig),
        **_asked(form),
    )


async def mono_command(form: MonoForm) -> DepthEstimationCommand:
    """Read the file of a form."""
    return DepthEstimationCommand(
        image_input=await form.image.read(),
        return_raw_depth=False,
        advanced_config=_config(form, DepthEstimationAdvanceConfig),
        **_asked(form),
    )


async def annotation_command(form: AnnotationForm) -> ObjectMaskAnnotation3DCommand:
    """Read the files of a form; InputError for what is no PLY file."""
    ply = await form.point_cloud_ply.read()
    return ObjectMaskAnnotation3DCommand(
        point_cloud=await asyncio.to_thread(decode_ply, ply, 'point_cloud_ply'),
        image_input=await form.image.read() if form.image is not None else None,
        model_backend=form.model_backend,
        return_object_clouds=form.return_object_clouds,
        return_annotated_cloud=form.return_annotated_cloud,
        advanced_config=_config(form, ObjectMaskAnnotation3DConfig),
    )


def _asked(form: Asked) -> dict[str, Any]:
    return {name: getattr(form, name) for name in Asked.model_fields}


def _config(form: BaseModel, kind: type[Config]) -> Config:
    given = form.model_fields_set & set(kind.model_fields)
    return kind(**{name: getattr(form, name) for name in given})
