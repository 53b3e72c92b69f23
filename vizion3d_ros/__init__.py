# SPDX-License-Identifier: Apache-2.0
"""
Metric depth, disparity and coloured point clouds from images, on ROS 2.

    contracts <- geometry <- engine <- pipeline <- files <- requests <- worker <- doors <- ros

`pipeline/` makes depth; the nodes in `ros/` turn topics into commands and results into topics.
Importing this package loads neither torch, open3d, pydantic nor ROS.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
    from vizion3d_ros.contracts.commands import (
        AnnotationCommand,
        MonoCommand,
        Output,
        StereoCommand,
    )
    from vizion3d_ros.contracts.errors import (
        BackendError,
        CalibrationError,
        DepthError,
        InputError,
    )
    from vizion3d_ros.contracts.results import AnnotationResult, Cloud, MonoResult, StereoResult
    from vizion3d_ros.contracts.settings.annotation_settings import AnnotationSettings
    from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
    from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
    from vizion3d_ros.pipeline import AnnotationPipeline, MonoPipeline, StereoPipeline

__all__ = [
    'AnnotationCommand',
    'AnnotationPipeline',
    'AnnotationResult',
    'AnnotationSettings',
    'BackendError',
    'CalibrationError',
    'Cloud',
    'DepthError',
    'InputError',
    'Intrinsics',
    'MonoCommand',
    'MonoPipeline',
    'MonoResult',
    'MonoSettings',
    'Output',
    'StereoCommand',
    'StereoPipeline',
    'StereoResult',
    'StereoRig',
    'StereoSettings',
]

_HOMES = {
    'contracts.camera': ('Intrinsics', 'StereoRig'),
    'contracts.commands': ('AnnotationCommand', 'MonoCommand', 'Output', 'StereoCommand'),
    'contracts.errors': ('BackendError', 'CalibrationError', 'DepthError', 'InputError'),
    'contracts.settings.annotation_settings': ('AnnotationSettings',),
    'contracts.settings.mono_settings': ('MonoSettings',),
    'contracts.results': ('AnnotationResult', 'Cloud', 'MonoResult', 'StereoResult'),
    'contracts.settings.stereo_settings': ('StereoSettings',),
    'pipeline': ('AnnotationPipeline', 'MonoPipeline', 'StereoPipeline'),
}


def __getattr__(name: str) -> Any:
    """Load a name when it is asked for: `ros2 launch` runs outside the environment of pydantic."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f'{__name__}.{module}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
