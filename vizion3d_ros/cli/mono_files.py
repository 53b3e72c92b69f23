# SPDX-License-Identifier: Apache-2.0
"""What is written of one image; nothing of a relative answer is called depth or metres."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.cli.files import cloud_file, depth_files, montage_file
from vizion3d_ros.contracts.camera import Intrinsics
from vizion3d_ros.files.result_folder import File, ResultFiles
from vizion3d_ros.files.snapshot import npy, png
from vizion3d_ros.report.metrics import measured
from vizion3d_ros.report.montage import Panel, chart, depth_scale, photo, relative_scale
from vizion3d_ros.requests.mono import DepthEstimationResult, MonoRun

FloatMap = NDArray[np.float32]

RELATIVE = 'float32, inverse depth of unknown scale and shift, larger = nearer; no metres'
RELATIVE_PICTURE = '16 bit, brighter = nearer, black to white in each image; no metres'
SHAPE_ONLY = 'right in shape only, no metres; x right, y up, z backward'
POINTS = 'metres; x right, y up, z backward'
OUTLIERS_PERCENT = 1.0


def mono_files(run: MonoRun) -> ResultFiles:
    """Say what there is to write of one image."""
    answer, camera = run.answer, cast('Intrinsics', run.command.camera)
    points = cast('FloatMap', answer.points)
    depth_m = np.where(measured(answer.depth), answer.depth, np.nan) if answer.is_metric else None
    facts = {
        'answer': 'metric' if answer.is_metric else 'relative',
        'backend_used': answer.backend_used,
        'seconds': round(run.seconds, 3),
        'image': {'width': camera.width, 'height': camera.height},
        'camera': {name: getattr(camera, name) for name in ('fx', 'fy', 'cx', 'cy')},
        'min': answer.min_depth,
        'max': answer.max_depth,
        'points': len(points),
        'message': answer.message,
    }
    files = _relative_files(answer) if depth_m is None else depth_files(depth_m)
    return ResultFiles(
        files={
            **files,
            **cloud_file(points, SHAPE_ONLY if depth_m is None else POINTS),
            **montage_file(
                _panels(run.command.image, answer, depth_m), _notes(facts), _remark(facts)
            ),
        },
        facts=facts,
        summary=_summary(facts),
    )


def _relative_files(answer: DepthEstimationResult) -> dict[str, File]:
    picture = cast('NDArray[np.uint16]', answer.picture)
    return {
        'relative.png': File(partial(png, picture), RELATIVE_PICTURE),
        'relative.npy': File(partial(npy, answer.depth), RELATIVE),
    }


def _panels(
    image: NDArray[np.uint8], answer: DepthEstimationResult, depth_m: FloatMap | None
) -> list[Panel]:
    panels = [photo('Image', image)]
    if depth_m is None:
        relative = relative_scale(answer.depth, OUTLIERS_PERCENT)
        if relative:
            panels.append(
                replace(chart('Relative, near is bright', answer.depth, relative), marks=())
            )
    elif scale := depth_scale(depth_m, OUTLIERS_PERCENT):
        panels.append(chart('Depth', depth_m, scale))
    return panels


def _notes(facts: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ('Network', Path(facts['backend_used']).name),
        ('Answer', _span(facts)),
        ('Time', f'{facts["seconds"]:.2f} s'),
    ]


def _remark(facts: dict[str, Any]) -> str:
    return 'No metres: right in shape only' if facts['answer'] == 'relative' else ''


def _span(facts: dict[str, Any]) -> str:
    if facts['answer'] == 'relative':
        return 'relative, no metres'
    return f'metric, {facts["min"]:.3g} to {facts["max"]:.3g} m'


def _summary(facts: dict[str, Any]) -> str:
    image = facts['image']
    return (
        f'{image["width"]}x{image["height"]}, {_span(facts)}, '
        f'{facts["backend_used"]}, {facts["seconds"]:.2f} s'
    )
