# SPDX-License-Identifier: Apache-2.0
"""The files that stereo and mono have in common."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.files.ply import encode_ply
from vizion3d_ros.files.result_folder import File
from vizion3d_ros.files.snapshot import depth_png, npy, png
from vizion3d_ros.report.montage import Panel, montage

FloatMap = NDArray[np.float32]

WITHOUT_EFFECT = {
    *('command', 'usage_error', 'left', 'right', 'image', 'cloud', 'out', 'force', 'device'),
}


def depth_files(depth_m: FloatMap) -> dict[str, File]:
    """Depth as a picture and as an array; float32 (H, W) metres, NaN = no measurement."""
    return {
        'depth.png': File(
            partial(depth_png, depth_m),
            '16 bit, millimetres, 0 = no measurement or beyond 65.535 m',
        ),
        'depth.npy': File(partial(npy, depth_m), 'float32, metres, NaN = no measurement'),
    }


def cloud_file(points: FloatMap, meaning: str) -> dict[str, File]:
    """Points, float32 (N, 4) as encode_ply takes them; what they mean stands in the file too."""
    return {'cloud.ply': File(partial(encode_ply, points, meaning), meaning)}


def montage_file(
    panels: Sequence[Panel], notes: Sequence[tuple[str, str]], remark: str = ''
) -> dict[str, File]:
    """Panels and notes as one picture."""
    picture = montage(panels, notes, remark)
    return {'montage.png': File(partial(png, picture), 'to look at')}


def options(asked: Namespace) -> dict[str, Any]:
    """What an answer depends on, for result.json, as plain JSON values."""
    chosen = {name: value for name, value in vars(asked).items() if name not in WITHOUT_EFFECT}
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in chosen.items()
    }
