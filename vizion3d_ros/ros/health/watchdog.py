# SPDX-License-Identifier: Apache-2.0
"""Why nothing comes out: one sentence that names the input, what it saw and what to do."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from vizion3d_ros.ros.stream.sync import InputStats, StereoSync


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An input as the network shows it: resolved topic and reliability of each publisher."""

    topic: str
    writers: list[str]


def explain_no_pairs(sync: StereoSync, endpoints: Mapping[str, Endpoint]) -> str:
    """Say why left and right images do not pair up; endpoints by side, 'left' and 'right'."""
    sides = {'left': sync.left, 'right': sync.right}
    quiet_since = time.monotonic() - sync.settings.timeout
    silent = [side for side, stats in sides.items() if stats.arrived < quiet_since]
    if silent:
        reasons = (explain_silence(endpoints[side], sides[side]) for side in silent)
        return f'no stereo pair: {"; ".join(reasons)}'
    return f'no stereo pair: {_rates(sides)}; {_cause(sync)}'


def explain_silence(endpoint: Endpoint, stats: InputStats) -> str:
    """Say why no image comes on an input."""
    if not endpoint.writers:
        return f'nobody publishes {endpoint.topic}: start the camera or remap the topic'
    seen = (
        f'the last image came {time.monotonic() - stats.arrived:.1f} s ago'
        if stats.received
        else 'nothing arrived'
    )
    return (
        f'{seen} on {endpoint.topic}, which has {len(endpoint.writers)} publisher(s) '
        f'({", ".join(endpoint.writers)}): check that the driver runs, and for large images the '
        'transport profile (README, troubleshooting)'
    )


def _rates(sides: Mapping[str, InputStats]) -> str:
    return ', '.join(
        f'{side} {stats.received} images'
        + (f' at {1e9 / stats.period_ns:.1f} Hz' if stats.period_ns else '')
        for side, stats in sides.items()
    )


def _cause(sync: StereoSync) -> str:
    left_ns, right_ns = sync.left.newest_ns, sync.right.newest_ns
    if left_ns is None or right_ns is None:
        return 'one side has sent nothing since time went back'
    seen = f'the newest stamps differ by {(left_ns - right_ns) / 1e9:+.4f} s (left - right)'
    if sync.settings.mode == 'exact':
        return (
            f'{seen} and sync.mode exact pairs equal stamps only: trigger the cameras together, '
            'or set sync.mode to approximate'
        )
    return (
        f'{seen} and pairing wants {sync.slop:g} s (sync.slop, at most half a frame '
        'period): trigger the cameras together, or raise sync.slop'
    )
