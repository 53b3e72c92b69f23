# SPDX-License-Identifier: Apache-2.0
"""Whether a rig can tell the depths apart that are searched."""

from __future__ import annotations

from vizion3d_ros.contracts.calibration.faults import Fault, Severity
from vizion3d_ros.contracts.calibration.wording import Wording
from vizion3d_ros.contracts.camera import StereoRig
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings

LEAST_NEAREST_PX = 2.0
LEAST_SPAN_PX = 1.0


def depth_range_faults(rig: StereoRig, settings: StereoSettings, wording: Wording) -> list[Fault]:
    """
    Say what is wrong with min_depth and max_depth, called as in wording, for this rig.

    They decide the disparities that may be answered, Z = fx * baseline_m / d, unless
    sgbm.disparity_range does.
    """
    explicit = settings.backend == 'sgbm' and settings.sgbm.disparity_range
    if rig.focal_baseline is None or explicit:
        return []
    low_px = rig.focal_baseline / settings.max_depth
    high_px = rig.focal_baseline / settings.min_depth
    # Before doffs, a point has to be within both images.
    farthest_px = rig.left.width - 1
    least_px, most_px = rig.doffs - farthest_px, rig.doffs + farthest_px
    said = _said(rig, settings, low_px, high_px, wording)
    correct = f'correct the baseline{" or doffs" if rig.doffs else ""}'
    cure = f'change {wording.near} and {wording.far}, or {correct}'
    if low_px > most_px or high_px < least_px:
        text = f'{said}, which do not fit into images {rig.left.width} px wide'
        return [Fault(Severity.NO_DEPTH, f'{text}: {cure}')]
    if high_px < LEAST_NEAREST_PX or high_px - low_px < LEAST_SPAN_PX:
        return [Fault(Severity.NO_DEPTH, f'{said}, too few to tell depths: {cure}')]
    if high_px > most_px:
        nearest_m = 1.01 * rig.focal_baseline / most_px  # so that it still holds when rounded
        text = f'{said}, but images {rig.left.width} px wide hold {most_px:.4g} at most'
        cure = f'raise {wording.near} to {wording.length(nearest_m, 3)}, or {correct}'
        return [Fault(Severity.DOUBT, f'{text}: {cure}')]
    return []


def _said(
    rig: StereoRig, settings: StereoSettings, low_px: float, high_px: float, wording: Wording
) -> str:
    return (
        f'{wording.near} {wording.length(settings.min_depth, 4)} to {wording.far} '
        f'{wording.length(settings.max_depth, 4)} are '
        f'disparities of {_short(high_px)} to {_short(low_px)} px (fx {rig.left.fx:.4g} px, '
        f'baseline {rig.baseline_m:.4g} m{f", doffs {rig.doffs:.4g} px" if rig.doffs else ""})'
    )


def _short(number: float) -> str:
    return f'{number:.0f}' if number >= 100 else f'{number:.2g}'
