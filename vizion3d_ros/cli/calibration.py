# SPDX-License-Identifier: Apache-2.0
"""Calibration as the command line or a calib.txt has it, in the fields of a request."""

from __future__ import annotations

from argparse import Namespace
from typing import Any, cast

from vizion3d_ros.contracts.camera import MM_PER_METRE, Intrinsics
from vizion3d_ros.contracts.errors import CalibrationError
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.contracts.stereo_request import OPENCV_SGBM, StereoDepthAdvancedConfig
from vizion3d_ros.files.calibration_file import CalibrationFile

# What is searched without a word.
NEAREST_MM = StereoSettings().min_depth * MM_PER_METRE
FARTHEST_MM = StereoSettings().max_depth * MM_PER_METRE


def config_from_options(asked: Namespace) -> StereoDepthAdvancedConfig:
    """Check all options at once, before any pair; calibration is in it if given by numbers."""
    config = {
        'z_far': asked.z_far,
        'scale_factor': asked.scale,
        'min_depth_mm': asked.min_depth_mm,
        'max_depth_mm': asked.max_depth_mm,
    }
    if asked.fx is not None:
        config |= {
            'focal_length': asked.fx,
            'baseline': asked.baseline_mm,
            'doffs': asked.doffs or 0.0,
            **{name: getattr(asked, name) for name in ('fy', 'cx', 'cy')},
        }
    return StereoDepthAdvancedConfig(**config)


def config_from_file(
    config: StereoDepthAdvancedConfig, calibration: CalibrationFile, backend: str
) -> StereoDepthAdvancedConfig:
    """
    Give the config with the calibration of a file.

    Where semi-global matching is not told the nearest depth, it is that of the largest disparity
    which the file says there is, if that is a shorter search: it is faster and errs less.
    """
    rig = calibration.rig
    baseline_mm = cast('float', rig.baseline_m) * MM_PER_METRE
    fields: dict[str, Any] = {
        **dict(config),
        'focal_length': rig.left.fx,
        'fy': rig.left.fy,
        'cx': rig.left.cx,
        'cy': rig.left.cy,
        'baseline': round(baseline_mm, 9),  # the very number of the file again
        'doffs': rig.doffs,
    }
    if backend == OPENCV_SGBM and config.min_depth_mm is None:
        farthest_mm = config.max_depth_mm or FARTHEST_MM
        fields['min_depth_mm'] = _nearest_mm(calibration, baseline_mm, farthest_mm)
    return StereoDepthAdvancedConfig(**fields)


def check_size(calibrated: Intrinsics, image: Intrinsics) -> None:
    """Raise CalibrationError if the images are not those that were calibrated."""
    if (calibrated.width, calibrated.height) != (image.width, image.height):
        raise CalibrationError(
            f'calibration is for images of {calibrated.width}x{calibrated.height}, but these are '
            f'{image.width}x{image.height}: use the calibration of this resolution'
        )


def _nearest_mm(
    calibration: CalibrationFile, baseline_mm: float, farthest_mm: float
) -> float | None:
    """Depth of the largest disparity; None if the file has none, or none that is a bound."""
    most = (calibration.ndisp or 0) + calibration.rig.doffs
    if calibration.ndisp is None or most <= 0:
        return None
    nearest_mm = calibration.rig.left.fx * baseline_mm / most
    return nearest_mm if NEAREST_MM < nearest_mm < farthest_mm else None
