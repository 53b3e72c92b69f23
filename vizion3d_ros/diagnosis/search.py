# SPDX-License-Identifier: Apache-2.0
"""Whether the matcher looks where the matches are: objects too near or too far, or no answers."""

from __future__ import annotations

import math

import numpy as np

from vizion3d_ros.contracts.calibration.wording import Wording
from vizion3d_ros.contracts.commands import StereoCommand
from vizion3d_ros.contracts.results import StereoResult
from vizion3d_ros.diagnosis.alignment import FEWEST
from vizion3d_ros.diagnosis.matches import Matches

FEW_VALID = 0.05
NEXT_TO_NONE = 0.02
NEARER = 0.3  # share of the matches that are nearer than what is searched
FARTHER = 0.5
MARGIN = 1.0  # pixels by which a match must be outside
FEW_MATCHES = 4
MANY_MATCHES = 12  # spread as they are, they cover more of an image than NEXT_TO_NONE
SAME_PLACE = 0.5  # pixels of disparity; less is no distance but the error of a match
ROOM = 1.2  # between the nearest or farthest match and the limit that is advised
OR_BASELINE = 'or correct the baseline'


def explain_search(
    matches: Matches,
    command: StereoCommand,
    result: StereoResult,
    valid: float,
    wording: Wording,
) -> str:
    """Say why few disparities are valid, '' if they are not few; valid: share of the pixels."""
    disparity = matches.disparity + command.rig.doffs
    if valid < FEW_VALID and _in_one_place(matches):
        return _one_camera(matches, valid, wording)
    near = disparity > result.max_disparity + MARGIN
    far = (disparity > SAME_PLACE) & (disparity < result.min_disparity - MARGIN)
    if matches.found >= FEWEST and near.mean() >= NEARER:
        nearest = float(np.percentile(disparity[near], 95))
        return _too_near(float(near.mean()), nearest, command, result, wording)
    if valid < FEW_VALID and matches.found >= FEWEST and far.mean() >= FARTHER:
        farthest = float(np.percentile(disparity[far], 5))
        return _too_far(float(far.mean()), farthest, command, result, wording)
    return _no_cause(matches, valid, wording) if valid < NEXT_TO_NONE else ''


def _in_one_place(matches: Matches) -> bool:
    return matches.found >= MANY_MATCHES and np.abs(matches.disparity).max() < SAME_PLACE


def _one_camera(matches: Matches, valid: float, wording: Wording) -> str:
    return (
        f'only {valid:.1%} of the pixels have a disparity, as {matches.found} corners are at the '
        'same place in both images: one camera comes as both, or all is far away: '
        f'{wording.other_image}'
    )


def _too_near(
    share: float,
    disparity: float,
    command: StereoCommand,
    result: StereoResult,
    wording: Wording,
) -> str:
    seen = (
        f'objects are nearer than what is searched: {share:.0%} of the matches have disparities '
        f'above {result.max_disparity:.0f} px, up to {disparity:.0f} px'
    )
    depth_m = _searched_depth(command, disparity)
    if depth_m is None:
        return f'{seen}: set baseline_m, or raise sgbm.disparity_range'
    near = f'{wording.near} to {wording.length(depth_m / ROOM)}'
    return f'{seen}, which is {wording.length(depth_m)}: lower {near}, {OR_BASELINE}'


def _too_far(
    share: float,
    disparity: float,
    command: StereoCommand,
    result: StereoResult,
    wording: Wording,
) -> str:
    seen = (
        f'{share:.0%} of the matches have disparities below the {result.min_disparity:.0f} px '
        f'where the search begins, down to {disparity:.1f} px'
    )
    depth_m = _searched_depth(command, disparity)
    if depth_m is None:
        return f'{seen}: lower sgbm.min_disparity'
    far = f'{wording.far} to {wording.length(depth_m * ROOM)}'
    return f'{seen}, which is {wording.length(depth_m)}: raise {far}, {OR_BASELINE}'


def _searched_depth(command: StereoCommand, disparity: float) -> float | None:
    """Depth in metres at a corrected disparity; None where the search does not go by depths."""
    settings, focal_baseline = command.settings, command.rig.focal_baseline
    explicit = settings.backend == 'sgbm' and settings.sgbm.disparity_range
    return None if explicit or focal_baseline is None else focal_baseline / disparity


def _no_cause(matches: Matches, valid: float, wording: Wording) -> str:
    seen = f'only {valid:.1%} of the pixels have a disparity'
    if matches.found < FEW_MATCHES and matches.tried >= MANY_MATCHES:
        return (
            f'{seen}, and the images have nothing in common ({matches.found} of {matches.tried} '
            'corners of the left one are in the right one): check that both cameras see the same '
            f'scene at the same time, with rows at most {matches.reach} px apart'
        )
    if matches.found >= MANY_MATCHES:
        return f'{seen}, though {matches.found} corners match: {wording.search}'
    return ''


def valid_share(result: StereoResult) -> float:
    """Share of the pixels that have a disparity, of every eighth row and column."""
    sampled = result.disparity[::8, ::8]
    return math.nan if not sampled.numel() else float(sampled.isfinite().float().mean())
