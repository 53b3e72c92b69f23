# SPDX-License-Identifier: Apache-2.0
"""
Metric depth, disparity and coloured point clouds from images, on ROS 2.

    contracts <- geometry <- engine <- pipeline <- worker <- ros

`pipeline/` is the one place where depth is made; the nodes in `ros/` turn topics into commands and
results into topics. Importing this package loads neither torch, open3d nor ROS.
"""

from vizion3d_ros.contracts.camera import Intrinsics, StereoRig
from vizion3d_ros.contracts.commands import MonoCommand, Output, StereoCommand
from vizion3d_ros.contracts.errors import (
    BackendError,
    CalibrationError,
    DepthError,
    InputError,
)
from vizion3d_ros.contracts.mono_settings import MonoSettings
from vizion3d_ros.contracts.results import Cloud, MonoResult, StereoResult
from vizion3d_ros.contracts.stereo_settings import StereoSettings

__all__ = [
    'BackendError',
    'CalibrationError',
    'Cloud',
    'DepthError',
    'InputError',
    'Intrinsics',
    'MonoCommand',
    'MonoResult',
    'MonoSettings',
    'Output',
    'StereoCommand',
    'StereoResult',
    'StereoRig',
    'StereoSettings',
]
