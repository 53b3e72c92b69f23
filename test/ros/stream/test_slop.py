# SPDX-License-Identifier: Apache-2.0
"""How far apart the stamps of a pair may be follows the period of the cameras."""

import numpy as np
import pytest
from pairing import FRAMES, MS, PERIOD, SECOND, Pairing

from vizion3d_ros.incoming.input_stats import PERIOD_SAMPLES

pytestmark = pytest.mark.ros


def test_a_wide_slop_is_warned_of_once_and_nearest_frames_pair(package_log):
    pairing = Pairing(slop=0.03)
    pairing.play(FRAMES, [stamp + 20 * MS for stamp in FRAMES])
    assert max(pairing.spreads[PERIOD_SAMPLES + 1 :]) <= PERIOD / 2
    assert len(pairing.pairs) >= 295
    assert pairing.sync.left.paired == pairing.sync.right.paired == len(pairing.pairs)
    [warning] = [r.getMessage() for r in package_log.records if r.levelname == 'WARNING']
    assert warning.startswith('sync.slop is 0.0300 s, more than half the frame period of 0.0333 s')
    assert warning.endswith('lower sync.slop')


def test_a_slop_near_half_the_period_is_warned_of_once_though_the_period_jitters(package_log):
    rng = np.random.default_rng(8)
    stamps = [stamp + int(rng.integers(-3 * MS, 3 * MS)) for stamp in FRAMES]
    Pairing(slop=PERIOD / 2 / SECOND).play(stamps, stamps)
    assert len([r for r in package_log.records if r.levelname == 'WARNING']) <= 1


def test_the_period_is_a_median_so_a_gap_does_not_move_it():
    pairing = Pairing()
    pairing.left(FRAMES[0])
    assert pairing.sync.left.period_ns is None
    pairing.left(*FRAMES[1:20], *FRAMES[60:70])
    assert pairing.sync.left.period_ns == PERIOD


def test_a_burst_at_start_does_not_narrow_slop_for_ever():
    burst = [FRAMES[0] + n * 2 * MS for n in range(20)]  # a driver that flushes its buffer
    stream = [FRAMES[0] + SECOND + n * PERIOD for n in range(300)]
    pairing = Pairing()
    pairing.play(burst + stream, [stamp + 3 * MS for stamp in burst + stream])
    assert pairing.sync.slop == 0.005
    assert len(pairing.pairs) >= 280


def test_slop_follows_a_camera_that_slows_down():
    fast = [FRAMES[0] + n * SECOND // 60 for n in range(100)]
    slow = [fast[-1] + (n + 1) * SECOND // 10 for n in range(100)]
    pairing = Pairing(slop=0.04)
    pairing.play(fast + slow, fast + [stamp + 30 * MS for stamp in slow])
    assert pairing.sync.slop == 0.04
    assert len(pairing.pairs) >= 180
