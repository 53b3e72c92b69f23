# SPDX-License-Identifier: Apache-2.0
"""The folder that a run leaves behind: report, picture and raw disparity."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import numpy as np

from vizion3d_ros.files.result_folder import unwritable, write_whole
from vizion3d_ros.files.snapshot import npy, png
from vizion3d_ros.report.montage import montage
from vizion3d_ros.report.panels import figures, frame_panels

if TYPE_CHECKING:
    from pathlib import Path

    from vizion3d_ros.report.summary import Maps, Report

CURE = 'name another folder with the parameter out'
FILES = ('report.json', 'montage.png', 'cloud.ply', 'disparity.npy')


def clear(out: Path) -> None:
    """Make the folder and delete the results of an earlier run; InputError if that fails."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(out, error, CURE) from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise unwritable(out, PermissionError('permission denied'), CURE)


def write(out: Path, report: Report, maps: Maps) -> None:
    """
    Write report.json, montage.png and, if there is one, disparity.npy; make the folder if need be.

    The disparity is x_left - x_right in pixels, float32 (H, W), NaN = no answer. Raises InputError
    if the folder cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)  # somebody may have tidied up meanwhile
        write_whole(out / 'report.json', (json.dumps(report, indent=2) + '\n').encode())
        _write_picture(out, report, maps)
        if maps.disparity is not None:
            write_whole(out / 'disparity.npy', npy(maps.disparity.astype(np.float32)))
    except OSError as error:
        raise unwritable(out, error, CURE) from error


def _write_picture(out: Path, report: Report, maps: Maps) -> None:
    remark = report.get('remark', '')
    picture = montage(frame_panels(maps, remark), figures(report), remark)
    write_whole(out / 'montage.png', png(picture))
