# SPDX-License-Identifier: Apache-2.0
"""What is written of one stereo pair; with ground truth also how good it is."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.cli.files import cloud_file, depth_files, montage_file
from vizion3d_ros.contracts.camera import MM_PER_METRE, StereoRig
from vizion3d_ros.contracts.results import StereoResult
from vizion3d_ros.files.result_folder import File, ResultFiles
from vizion3d_ros.files.snapshot import npy, pfm
from vizion3d_ros.geometry.uncertainty import depth_uncertainty
from vizion3d_ros.report.metrics import depth_scores, disparity_scores, valid_share
from vizion3d_ros.report.panels import figures, frame_panels
from vizion3d_ros.report.summary import Maps, depth_of
from vizion3d_ros.requests.maps import to_array
from vizion3d_ros.requests.stereo import StereoRun

if TYPE_CHECKING:
    from torch import Tensor

FloatMap = NDArray[np.float32]

DISPARITY = 'float32, pixels, x left - x right (doffs not added), NaN = no measurement'
UNCERTAINTY = 'float32, metres, one standard deviation of the depth, NaN = no measurement'
POINTS = 'metres; x right, y up, z backward, seen from the left camera'


def stereo_files(run: StereoRun, truth: FloatMap | None) -> ResultFiles:
    """
    Say what there is to write of one pair.

    truth: disparity, float32 (H, W), x_left - x_right in pixels, NaN = unknown.
    """
    maps = _maps(run, truth)
    depth_m, disparity = cast('FloatMap', maps.depth_m), cast('FloatMap', maps.disparity)
    points = cast('FloatMap', run.answer.points)
    report = _report(maps)
    facts = {**_facts(run), 'points': len(points), **report}
    files = {
        **depth_files(depth_m),
        **_uncertainty_file(run.result),
        'disparity.pfm': File(partial(pfm, disparity), DISPARITY),
        **cloud_file(points, POINTS),
        **montage_file(frame_panels(maps), [*_notes(facts), *figures(report)]),
    }
    return ResultFiles(files, facts, _summary(facts))


def _uncertainty_file(result: StereoResult) -> dict[str, File]:
    """None of a matcher whose confidence is not calibrated."""
    deviation = depth_uncertainty(result)
    if deviation is None:
        return {}
    return {'uncertainty.npy': File(partial(npy, to_array(deviation)), UNCERTAINTY)}


def _maps(run: StereoRun, truth: FloatMap | None) -> Maps:
    result, rig = run.result, run.command.rig
    maps = Maps(
        left=run.command.left,
        depth_m=to_array(cast('Tensor', result.depth_m)),
        disparity=to_array(result.disparity) - rig.doffs,
        confidence=to_array(result.confidence),
    )
    if truth is None or not np.isfinite(truth).any():
        return maps
    return replace(maps, true_disparity=truth, true_depth_m=depth_of(truth, rig))


def _facts(run: StereoRun) -> dict[str, Any]:
    rig, settings, answer = run.command.rig, run.command.settings, run.answer
    return {
        'backend_used': answer.backend_used,
        'seconds': round(run.seconds, 3),
        'image': {'width': rig.left.width, 'height': rig.left.height},
        'calibration': _calibration(rig),
        'searched_from_m': settings.min_depth,
        'searched_to_m': settings.max_depth,
        'min_depth_m': answer.min_depth,
        'max_depth_m': answer.max_depth,
        'message': answer.message,
    }


def _report(maps: Maps) -> dict[str, float]:
    """Figures under the names that report.json of the recorder has, as far as there are any."""
    report = {'valid_share': valid_share(cast('FloatMap', maps.depth_m))}
    if maps.true_disparity is not None and maps.true_depth_m is not None:
        errors = depth_scores(maps.true_depth_m, cast('FloatMap', maps.depth_m))
        report['depth_error_median'] = errors.error_median
        report['depth_error_p95'] = errors.error_p95
        report |= asdict(disparity_scores(maps.true_disparity, cast('FloatMap', maps.disparity)))
    return {name: value for name, value in report.items() if math.isfinite(value)}


def _calibration(rig: StereoRig) -> dict[str, float]:
    camera = rig.left
    return {
        **{name: getattr(camera, name) for name in ('fx', 'fy', 'cx', 'cy')},
        'baseline_mm': cast('float', rig.baseline_m) * MM_PER_METRE,
        'doffs': rig.doffs,
    }


def _notes(facts: dict[str, Any]) -> list[tuple[str, str]]:
    calibration = facts['calibration']
    return [
        ('Matcher', Path(facts['backend_used']).name),
        ('Calibration', f'{calibration["fx"]:.1f} px, {calibration["baseline_mm"]:.1f} mm'),
        ('Depth', f'{facts["min_depth_m"]:.3g} to {facts["max_depth_m"]:.3g} m'),
        ('Time', f'{facts["seconds"]:.2f} s'),
    ]


def _summary(facts: dict[str, Any]) -> str:
    image = facts['image']
    depth = f'{facts["min_depth_m"]:.3g} to {facts["max_depth_m"]:.3g} m'
    found = (
        f'{100 * facts["valid_share"]:.1f} % measured, {depth}'
        if facts.get('valid_share')
        else 'no depth'
    )
    ran = f'{facts["backend_used"]}, {facts["seconds"]:.2f} s'
    return f'{image["width"]}x{image["height"]}, {found}, {ran}'
