# SPDX-License-Identifier: Apache-2.0
"""
When which examination of a stereo pair is due, and what all of them say together.

A look at both images and the share of valid disparities costs little and comes twice a second;
corners are matched every few seconds, sooner when that share changes or a fault stands, as far as
the budget goes.
"""

from __future__ import annotations

import math
import time

import numpy as np

from vizion3d_ros.contracts.calibration.wording import NODE, REQUEST, Wording
from vizion3d_ros.contracts.commands import StereoCommand
from vizion3d_ros.contracts.results import StereoResult
from vizion3d_ros.diagnosis.alignment import explain_alignment, rows_off
from vizion3d_ros.diagnosis.budget import Budget
from vizion3d_ros.diagnosis.depth_edges import LEAST_DOFFS, explain_edges
from vizion3d_ros.diagnosis.exposure import (
    explain_exposure,
    is_black,
    is_blank,
    is_dark,
    is_saturated,
    saturated_share,
)
from vizion3d_ros.diagnosis.matches import GreyPair, Matches, find_matches
from vizion3d_ros.diagnosis.repeats import Repeats, frozen_side
from vizion3d_ros.diagnosis.search import FEW_MATCHES, FEW_VALID, explain_search, valid_share
from vizion3d_ros.diagnosis.verdict import Verdict
from vizion3d_ros.diagnosis.views import Pixels, sample, shrink, to_grey

LOOK_SECONDS = 0.5
EXAMINE_SECONDS = 6.0
WATCH_SECONDS = 1.5  # the same while something is wrong
CHANGED = 0.1  # of the share of valid disparities
LEAST_DROPPED = 0.25  # of all pixels, by min_confidence
SIDES = ('left', 'right')


class StereoDoctor:
    """Looks at the pairs of one stream; its verdict may be read from any thread."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.verdict = Verdict()
        self.looked = -math.inf
        self._examined = -math.inf
        self._valid = math.nan
        self._budget = Budget()
        self._repeats = {side: Repeats() for side in SIDES}

    def look(self, command: StereoCommand, result: StereoResult, now: float) -> None:
        """Look at a pair and its result, if it is time to; now: time.monotonic()."""
        if now - self.looked < LOOK_SECONDS:
            return
        self.looked = now
        images = {'left': command.left, 'right': command.right}
        samples = {side: sample(image) for side, image in images.items()}
        valid = valid_share(result)
        lenses = _explain_lenses(images, samples, valid)
        frozen = self._frozen(images, samples, now)
        if any(lenses) or frozen:
            self._examined = -math.inf
            self.verdict.update(filter(None, lenses) if any(lenses) else [frozen])
        elif self._is_due(valid, now):
            self._examined, self._valid = now, valid
            began = time.thread_time()
            self._examine(command, result, valid)
            self._budget.spend(time.thread_time() - began, now)

    def _frozen(self, images: dict[str, Pixels], samples: dict[str, Pixels], now: float) -> str:
        for side in SIDES:
            self._repeats[side].update(samples[side], now)
        side = frozen_side(**self._repeats)
        # What shows nothing may be a simulated wall, which has no noise to change; a side that
        # changes by its noise alone does not see what the other one sees standing.
        if not side or any(is_blank(shrink(to_grey(image))[0]) for image in images.values()):
            return ''
        other = SIDES[side == 'left']
        return (
            f'{side} image is frozen: the same pixels come under new stamps for '
            f'{self._repeats[side].seconds(now):.0f} s, while the {other} one changes: restart '
            f'the {side} camera or its driver'
        )

    def _is_due(self, valid: float, now: float) -> bool:
        age = now - self._examined
        if self.verdict.suspected and not self.verdict.text:
            return True
        watched = self.verdict.suspected or valid < FEW_VALID
        changed = not abs(valid - self._valid) < CHANGED
        if age < (WATCH_SECONDS if watched or changed else EXAMINE_SECONDS):
            return False
        return self._budget.allows(now, urgent=changed)

    def _examine(self, command: StereoCommand, result: StereoResult, valid: float) -> None:
        pair = _grey_pair(command)
        matches = find_matches(pair)
        self.verdict.values = {
            'valid share': round(valid, 3),
            'corners matched': f'{matches.found} of {matches.tried}',
            'right rows lower by': round(rows_off(matches), 1),
        }
        self.verdict.update(_explain_matches(pair, matches, command, result, valid, NODE))


def explain_pair(command: StereoCommand, result: StereoResult) -> str:
    """Say why next to nothing of the pair of a request has a disparity; '' if that is not so."""
    valid = valid_share(result)
    if not valid < FEW_VALID:
        return ''
    images = {'left': command.left, 'right': command.right}
    samples = {side: sample(image) for side, image in images.items()}
    faults = _explain_lenses(images, samples, valid)
    if not any(faults):
        pair = _grey_pair(command)
        faults = _explain_matches(pair, find_matches(pair), command, result, valid, REQUEST)
    return '; '.join(filter(None, faults)) or f'only {valid:.1%} of the pixels have a disparity'


def _grey_pair(command: StereoCommand) -> GreyPair:
    left, right = to_grey(command.left), to_grey(command.right)
    (small_left, factor), (small_right, _) = shrink(left), shrink(right)
    return GreyPair(left, right, small_left, small_right, factor)


def _explain_matches(
    pair: GreyPair,
    matches: Matches,
    command: StereoCommand,
    result: StereoResult,
    valid: float,
    wording: Wording,
) -> list[str]:
    if fault := _explain_threshold(command, result, valid) or _explain_same(pair, valid, wording):
        return [fault]
    faults = explain_alignment(matches, pair.left.shape, command.rig.doffs, wording)
    if matches.found < FEW_MATCHES:
        faults = [_explain_blank(pair.small_left, pair.small_right, valid)]
    if not any(faults):
        faults = [explain_search(matches, command, result, valid, wording)]
    if not any(faults) and command.rig.doffs >= LEAST_DOFFS:
        faults = [explain_edges(pair.left, result.disparity.cpu().numpy())]
    return faults


def _explain_threshold(command: StereoCommand, result: StereoResult, valid: float) -> str:
    """Say that min_confidence drops most of what was matched, so that nothing else is to blame."""
    least = command.settings.min_confidence
    if not least or not valid < FEW_VALID:
        return ''
    doubtful = (result.confidence > 0) & (result.confidence < least)
    dropped = float(doubtful.float().mean())
    if dropped < LEAST_DROPPED:
        return ''
    return f'min_confidence: {least:g} drops {dropped:.0%} of the pixels: lower it'


def _explain_same(pair: GreyPair, valid: float, wording: Wording) -> str:
    """Say that both images are one, so that no disparity is above 0."""
    if not valid < FEW_VALID or not np.array_equal(pair.left, pair.right):
        return ''
    if is_blank(pair.small_left):
        return ''
    return (
        'left and right images are the same in every pixel: one camera comes as both; '
        f'{wording.other_image}'
    )


def _explain_lenses(
    images: dict[str, Pixels], samples: dict[str, Pixels], valid: float
) -> list[str]:
    """Judge both sides; those dark, or white with sky, and matched all the same are well."""
    dark = {side: is_dark(sampled) for side, sampled in samples.items()}
    least_white = min(map(saturated_share, samples.values()))
    useless = valid < FEW_VALID
    faults = []
    for side, sampled in samples.items():
        alone = dark[side] and not all(dark.values())
        covered = alone and is_blank(shrink(to_grey(images[side]))[0])
        too_dark = dark[side] and (useless or is_black(sampled) or covered)
        glared = least_white < saturated_share(sampled) / 2
        too_bright = is_saturated(sampled) and (useless or glared)
        faults.append(explain_exposure(f'{side} image', sampled, too_dark, too_bright))
    return faults


def _explain_blank(left: Pixels, right: Pixels, valid: float) -> str:
    """Say which image, uint8 (h, w), shows nothing; both may do so if the matcher answers."""
    blank = [side for side, small in zip(SIDES, (left, right)) if is_blank(small)]
    if len(blank) == 1:
        return (
            f'{blank[0]} image shows nothing but noise while the other one shows something: '
            f'uncover or clean the lens of the {blank[0]} camera, and check its focus'
        )
    if blank and valid < FEW_VALID:
        return (
            f'both images show nothing but noise, as of a plain wall, and {valid:.1%} of the '
            'pixels have a disparity: turn the cameras to something with texture, or add a '
            'pattern projector'
        )
    return ''
