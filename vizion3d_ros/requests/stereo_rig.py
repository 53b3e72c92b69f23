# SPDX-License-Identifier: Apache-2.0
"""
The rig of a stereo request: refused where its depth could only be wrong.

Where it may be, or next to nothing was found, the answer has a sentence on it.
"""

from __future__ import annotations

from vizion3d_ros.contracts.calibration import Severity
from vizion3d_ros.contracts.calibration.depth_range import depth_range_faults
from vizion3d_ros.contracts.calibration.faults import joined, worst
from vizion3d_ros.contracts.calibration.rig_faults import BASELINES_M, LIKELY_M, is_likely
from vizion3d_ros.contracts.calibration.wording import REQUEST
from vizion3d_ros.contracts.camera import MM_PER_METRE, Intrinsics, StereoRig
from vizion3d_ros.contracts.commands import StereoCommand
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.contracts.results import StereoResult
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings
from vizion3d_ros.contracts.stereo_request import StereoDepthAdvancedConfig, StereoDepthCommand
from vizion3d_ros.diagnosis.stereo_doctor import explain_pair
from vizion3d_ros.requests.known_camera import check_asked, note_on_rig, note_on_view


def rig_of(config: StereoDepthAdvancedConfig, width: int, height: int) -> StereoRig:
    """
    Make the rig of a request, whose lengths are in millimetres, for images of this size.

    Raises InputError for a baseline that no rig has, and for a camera that cannot be.
    """
    baseline_m = config.baseline / MM_PER_METRE
    if not is_likely(baseline_m, BASELINES_M):
        raise InputError(_not_a_baseline(config.baseline))
    left = Intrinsics(
        width=width,
        height=height,
        fx=config.focal_length,
        fy=config.fy or config.focal_length,
        cx=config.cx,
        cy=config.cy,
    )
    check_asked(config, left)
    return StereoRig(left=left, baseline_m=baseline_m, doffs=config.doffs)


def _not_a_baseline(baseline: float) -> str:
    least, most = (MM_PER_METRE * limit for limit in BASELINES_M)
    guess = '; this looks like metres' if is_likely(baseline, LIKELY_M) else ''
    return (
        f'advanced_config: baseline is {baseline:g} mm, expected {least:g} to {most:g} mm{guess}: '
        'give the distance between the cameras in millimetres'
    )


def check_depths(rig: StereoRig, settings: StereoSettings) -> None:
    """Raise InputError if this rig cannot tell apart the depths that are searched."""
    faults = depth_range_faults(rig, settings, REQUEST)
    if worst(faults) is not Severity.DOUBT:
        raise InputError(f'advanced_config: {joined(faults)}')


def explain_answer(
    request: StereoDepthCommand,
    command: StereoCommand,
    result: StereoResult,
    known: StereoRig | None,
) -> str:
    """Say why next to nothing was found, and what was assumed; '' if there is nothing to say."""
    config, cloud = request.advanced_config, request.return_point_cloud
    useless = explain_pair(command, result)
    notes = (
        useless,
        joined(depth_range_faults(command.rig, command.settings, REQUEST)) if useless else '',
        note_on_rig(config, command.rig, known),
        note_on_view(config, command.rig) if cloud and command.rig is not known else '',
        _explain_empty_cloud(config, result) if cloud else '',
    )
    return '; '.join(filter(None, notes))


def _explain_empty_cloud(config: StereoDepthAdvancedConfig, result: StereoResult) -> str:
    if result.cloud is None or len(result.cloud.points) or not result.disparity.isfinite().any():
        return ''
    return (
        f'the cloud is empty: no pixel has a depth below z_far {config.z_far:g} m, a confidence '
        f'of conf_threshold {config.conf_threshold:g} and a visibility of occ_threshold '
        f'{config.occ_threshold:g}; change them'
    )
