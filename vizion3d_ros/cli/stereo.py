# SPDX-License-Identifier: Apache-2.0
"""
Stereo pairs in files to depth in files.

    pair, calibration ─ request ─ command ─ pipeline ─ result ─ files, montage, facts
"""

from __future__ import annotations

import time
from argparse import Namespace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.cli.arguments import RIG_FLAGS
from vizion3d_ros.cli.batch import Job, run_jobs
from vizion3d_ros.cli.calibration import check_size, config_from_file, config_from_options
from vizion3d_ros.cli.files import options
from vizion3d_ros.cli.stereo_files import stereo_result
from vizion3d_ros.contracts.errors import CalibrationError, InputError
from vizion3d_ros.contracts.image_source import ImageSource
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.contracts.stereo_request import StereoDepthAdvancedConfig, StereoDepthCommand
from vizion3d_ros.files.calibration_file import CalibrationFile, read_calibration
from vizion3d_ros.files.pair import CALIBRATION, IMAGE_NAMES, find_pairs, load_pair
from vizion3d_ros.files.result_folder import Result
from vizion3d_ros.pipeline.stereo import StereoPipeline
from vizion3d_ros.requests.stereo import prepare_stereo, stereo_answer
from vizion3d_ros.requests.threads import one_thread


def run(asked: Namespace) -> int:
    """Answer all pairs and give the exit code."""
    matcher = _Matcher(asked)
    if asked.right:
        inputs = (asked.left, asked.right)
        jobs = [Job(asked.left.name, inputs, asked.out, matcher.of_images)]
        return run_jobs(jobs, options(asked), redo=True)
    if asked.left.is_file():
        raise InputError(f'{asked.left}: expected two images or a folder of pairs, got one image')
    jobs = [
        Job(name, _files_of(pair, asked), asked.out / name, partial(matcher.of_folder, pair))
        for pair in find_pairs(asked.left)
        for name in [pair.resolve().name]
    ]
    return run_jobs(jobs, options(asked), redo=asked.force)


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

    def of_images(self) -> Result:
        return self._answer(self._asked.left, self._asked.right, self._calibration)

    def of_folder(self, folder: Path) -> Result:
        pair = load_pair(folder)
        own = pair.calibration if pair.rig.baseline_m else None
        return self._answer(pair.left, pair.right, self._calibration or own, pair.disparity)

    def _answer(
        self,
        left: ImageSource,
        right: ImageSource,
        calibration: CalibrationFile | None,
        truth: NDArray[np.float32] | None = None,
    ) -> Result:
        started = time.perf_counter()
        request = StereoDepthCommand(
            left_image=left,
            right_image=right,
            model_backend=self._asked.backend,
            return_depth_image=False,
            return_point_cloud=True,
            advanced_config=self._calibrated(calibration),
        )
        work = prepare_stereo(request, self._settings)
        if calibration and self._asked.fx is None:
            check_size(calibration.rig.left, work.rig.left)
        with one_thread():
            result = self._pipeline.run(work)
            answer = stereo_answer(request, work, result)
        return stereo_result(work, result, answer, truth, time.perf_counter() - started)

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
