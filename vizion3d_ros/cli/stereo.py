# SPDX-License-Identifier: Apache-2.0
"""
Stereo pairs in files to depth in files.

    pair, calibration ─ request ─ answer_stereo ─ files, montage, facts
"""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.cli.batch import BatchItem, run_batch
from vizion3d_ros.cli.files import options
from vizion3d_ros.cli.parser.arguments import RIG_FLAGS
from vizion3d_ros.cli.stereo_files import stereo_files
from vizion3d_ros.contracts.camera import MM_PER_METRE, Intrinsics
from vizion3d_ros.contracts.errors import CalibrationError, InputError
from vizion3d_ros.contracts.image_source import ImageSource
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.contracts.stereo_request import (
    OPENCV_SGBM,
    StereoDepthAdvancedConfig,
    StereoDepthCommand,
)
from vizion3d_ros.files.calibration_file import CalibrationFile, read_calibration
from vizion3d_ros.files.pair import CALIBRATION, IMAGE_NAMES, find_pairs, load_pair
from vizion3d_ros.files.result_folder import ResultFiles
from vizion3d_ros.pipeline.stereo import StereoPipeline
from vizion3d_ros.requests.pictures import read_pair
from vizion3d_ros.requests.stereo import answer_stereo

# What is searched without a word.
NEAREST_MM = StereoSettings().min_depth * MM_PER_METRE
FARTHEST_MM = StereoSettings().max_depth * MM_PER_METRE


def run(asked: Namespace) -> int:
    """Answer all pairs and give the exit code."""
    matcher = _Matcher(asked)
    if asked.right:
        inputs = (asked.left, asked.right)
        items = [BatchItem(asked.left.name, inputs, asked.out, matcher.of_images)]
        return run_batch(items, options(asked), redo=True)
    if asked.left.is_file():
        raise InputError(f'{asked.left}: expected two images or a folder of pairs, got one image')
    items = [
        BatchItem(name, _files_of(pair, asked), asked.out / name, partial(matcher.of_folder, pair))
        for pair in find_pairs(asked.left)
        for name in [pair.resolve().name]
    ]
    return run_batch(items, options(asked), redo=asked.force)


def _files_of(pair: Path, asked: Namespace) -> list[Path]:
    """Everything that an answer is made from, the checkpoint too if it is a file."""
    own = (pair / name for name in (*chain(*IMAGE_NAMES), CALIBRATION))
    named = (asked.calib, Path(asked.backend))
    return [path for path in (*own, *named) if path and path.is_file()]


class _Matcher:
    """Answers one pair after another with what the command line says."""

    def __init__(self, asked: Namespace) -> None:
        self._asked = asked
        self._config = config_from_options(asked)
        self._calibration = read_calibration(asked.calib) if asked.calib else None
        self._settings = StereoSettings(device=asked.device)
        self._pipeline = StereoPipeline(asked.device)

    def of_images(self) -> ResultFiles:
        return self._answer(self._asked.left, self._asked.right, self._calibration)

    def of_folder(self, folder: Path) -> ResultFiles:
        pair = load_pair(folder)
        own = pair.calibration if pair.rig.baseline_m else None
        return self._answer(pair.left, pair.right, self._calibration or own, pair.disparity)

    def _answer(
        self,
        left: ImageSource,
        right: ImageSource,
        calibration: CalibrationFile | None,
        truth: NDArray[np.float32] | None = None,
    ) -> ResultFiles:
        left, right = read_pair(left, right)
        if calibration and self._asked.fx is None:
            check_size(calibration.rig.left, left)
        request = StereoDepthCommand(
            left_image=left,
            right_image=right,
            model_backend=self._asked.backend,
            return_depth_image=False,
            return_point_cloud=True,
            advanced_config=self._calibrated(calibration),
        )
        return stereo_files(answer_stereo(request, self._pipeline.run, self._settings), truth)

    def _calibrated(self, calibration: CalibrationFile | None) -> StereoDepthAdvancedConfig:
        """Calibration by numbers goes before that of a file."""
        if self._asked.fx is not None:
            return self._config
        if calibration is None:
            raise CalibrationError(
                f'no calibration, so no depth: put {CALIBRATION} beside the images, or give '
                f'--calib FILE or {RIG_FLAGS}'
            )
        return config_from_file(self._config, calibration, self._asked.backend)


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


def check_size(calibrated: Intrinsics, image: NDArray[np.uint8]) -> None:
    """Raise CalibrationError if an image, uint8 (H, W, 3), is none of those calibrated."""
    height, width = image.shape[:2]
    if (calibrated.width, calibrated.height) != (width, height):
        raise CalibrationError(
            f'calibration is for images of {calibrated.width}x{calibrated.height}, but these are '
            f'{width}x{height}: use the calibration of this resolution'
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
