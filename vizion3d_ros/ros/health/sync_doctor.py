# SPDX-License-Identifier: Apache-2.0
"""Why left and right images do not pair up, or too few of them: rates, offset and jitter told."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.incoming.input_stats import InputStats
from vizion3d_ros.incoming.sync import StereoSync
from vizion3d_ros.ros.health.watchdog import explain_silence, explain_unstamped, is_overdue
from vizion3d_ros.ros.stream.publishers import Endpoint

Stamps = NDArray[np.int64]
LEAST_PAIRED = 0.5
FEWEST_STAMPS = 3  # of a side, to measure a distance by
FEWEST_IMAGES = 10  # fewer in five seconds prove nothing
SLOWER = 0.6  # a side this much slower than the other is why pairs are missing
ROOM = 1.2  # between the spread that was seen and the slop that is advised


@dataclass(frozen=True, slots=True)
class Offsets:
    """
    How far right stamps are from the nearest left ones, right - left, in seconds.

    jitter: 95 of 100 are within this distance of the median.
    """

    median: float
    jitter: float

    @property
    def slop(self) -> float:
        """The slop that would pair these, in whole milliseconds."""
        return math.ceil(1e3 * ROOM * (abs(self.median) + self.jitter)) / 1e3


def measure_offsets(left: InputStats, right: InputStats, after_ns: int = 0) -> Offsets | None:
    """Compare the last stamps of both sides, those after after_ns; None before each has some."""
    lefts, rights = _after(after_ns, np.array(left.stamps_ns), np.array(right.stamps_ns))
    if not lefts.size or not rights.size:
        return None
    offsets = _distances(lefts, rights) / 1e9
    median = float(np.median(offsets))
    return Offsets(median, float(np.percentile(np.abs(offsets - median), 95)))


def _after(stamp_ns: int, lefts: Stamps, rights: Stamps) -> tuple[Stamps, Stamps]:
    """Leave out what came before, unless too little of a side is left to go by."""
    both = lefts[lefts > stamp_ns], rights[rights > stamp_ns]
    return both if min(side.size for side in both) >= FEWEST_STAMPS else (lefts, rights)


def _distances(lefts: Stamps, rights: Stamps) -> Stamps:
    """How far the stamps of the slower side are from the nearest of the other, right - left."""
    begin, end = max(lefts.min(), rights.min()), min(lefts.max(), rights.max())
    if begin > end:  # two times: nothing is near, so go by the order in which they came
        both = min(lefts.size, rights.size)
        return rights[-both:] - lefts[-both:]
    # What one side sent before or after the other one has no partner.
    left, right = (side[(side >= begin) & (side <= end)] for side in (lefts, rights))
    # Of the slower side each, as most of the faster one have no partner.
    if right.size <= left.size:
        return _from_nearest(right if right.size else rights, lefts)
    return -_from_nearest(left if left.size else lefts, rights)


def _from_nearest(stamps: Stamps, others: Stamps) -> Stamps:
    return stamps - others[np.abs(stamps[:, None] - others).argmin(axis=1)]


def explain_no_pairs(sync: StereoSync, endpoints: Mapping[str, Endpoint]) -> str:
    """Say why no pair comes, '' if one may come yet; endpoints by side, as sync.words has them."""
    words = sync.words
    sides = {words.left: sync.left, words.right: sync.right}
    timeout = sync.settings.timeout
    found = any(endpoint.found for endpoint in endpoints.values())
    silent = [
        side for side, seen in sides.items() if is_overdue(endpoints[side], seen, timeout, found)
    ]
    if silent:
        reasons = (explain_silence(endpoints[side], sides[side]) for side in silent)
        return f'no {words.pair}: {"; ".join(reasons)}'
    patient_since = time.monotonic() - timeout
    if any(seen.arrived < patient_since or seen.began > patient_since for seen in sides.values()):
        return ''
    unstamped = (explain_unstamped(endpoints[side].topic, seen) for side, seen in sides.items())
    cause = '; '.join(filter(None, unstamped)) or _cause(sync, sync.newest_pair_ns)
    return f'no {words.pair} of {_rates(sync)}: {cause}'


def explain_few_pairs(sync: StereoSync) -> str:
    """
    Say why less than half of the images of the last seconds have a partner; '' if they have.

    Where one side may send less often, of the images of that side.
    """
    received = [side.recently_received.total for side in (sync.left, sync.right)]
    images = sum(received) if sync.words.one_rate else 2 * min(received)
    paired = 2 * sync.recent_pairs.total
    if images < FEWEST_IMAGES or paired >= LEAST_PAIRED * images:
        return ''
    could = '' if sync.words.one_rate else 'those that could, '
    return f'only {paired / images:.0%} of {could}{_rates(sync)} pair up: {_cause(sync)}'


def _rates(sync: StereoSync) -> str:
    words = sync.words
    return (
        f'{words.left} images at {sync.left.rate_hz:.1f} Hz and {words.right} at '
        f'{sync.right.rate_hz:.1f} Hz'
    )


def _cause(sync: StereoSync, after_ns: int = 0) -> str:
    slower, faster = sorted((sync.left, sync.right), key=lambda stats: stats.rate_hz)
    offsets = measure_offsets(sync.left, sync.right, after_ns)
    if offsets is None:
        return 'one side has sent nothing since time went back'
    if abs(offsets.median) + offsets.jitter > sync.slop:
        return _apart(sync, offsets)
    if sync.words.one_rate and slower.rate_hz < SLOWER * faster.rate_hz:
        side = sync.words.left if slower is sync.left else sync.words.right
        return f'the {side} side lacks images: give both cameras one rate, and check its transport'
    return 'images come too late for their partners: raise sync.queue_size'


def _apart(sync: StereoSync, offsets: Offsets) -> str:
    words = sync.words
    seen = (
        f'{words.right} stamps are {offsets.median:+.4f} s from the {words.left} ones, '
        'with a jitter of '
        f'{offsets.jitter:.4f} s'
    )
    if sync.settings.mode == 'exact':
        return (
            f'{seen}, and sync.mode exact pairs equal stamps only: {words.cure}, '
            'or set sync.mode to approximate'
        )
    period_ns = sync.left.period_ns or math.inf
    if offsets.slop < period_ns / 2e9:
        cure = f'{words.cure}, or set sync.slop to {offsets.slop:g}'
    else:
        cure = (
            'that is over half a frame period, where images of different moments would pair up: '
            f'{words.far_cure}'
        )
    return f'{seen}, and pairing wants at most {sync.slop:g} s (sync.slop): {cure}'
