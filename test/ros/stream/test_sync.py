# SPDX-License-Identifier: Apache-2.0
"""What happens to pairs when frames are late, lost, early or impossible."""

import numpy as np
import pytest
from pairing import FRAMES, MS, PERIOD, SECOND, Pairing

from vizion3d_ros.contracts.settings.stereo_settings import SyncSettings
from vizion3d_ros.incoming.input_stats import FEWEST_JUMPS

pytestmark = pytest.mark.ros

RIGHT_FIRST = pytest.mark.parametrize('right_first', [False, True])


@RIGHT_FIRST
@pytest.mark.parametrize('mode', ['approximate', 'exact'])
def test_a_perfect_stream_pairs_completely_and_silently(mode, right_first, package_log):
    pairing = Pairing(mode=mode)
    pairing.play(FRAMES, FRAMES, right_first)
    assert pairing.pairs == [(stamp, stamp) for stamp in FRAMES]
    for stats in (pairing.sync.left, pairing.sync.right):
        assert (stats.received, stats.paired, stats.newest_ns) == (300, 300, FRAMES[-1])
        assert stats.period_ns == PERIOD
    assert package_log.records == []


@RIGHT_FIRST
@pytest.mark.parametrize('mode', ['approximate', 'exact'])
def test_two_lost_right_frames_cost_two_pairs(mode, right_first):
    pairing = Pairing(mode=mode)
    survivors = FRAMES[:50] + FRAMES[52:]
    pairing.play(FRAMES, survivors, right_first)
    assert pairing.pairs == [(stamp, stamp) for stamp in survivors]
    assert (pairing.sync.left.received, pairing.sync.left.paired) == (300, 298)
    assert (pairing.sync.right.received, pairing.sync.right.paired) == (298, 298)


@RIGHT_FIRST
@pytest.mark.parametrize('slop', [0.04, 0.2])
def test_a_wide_slop_never_delivers_frames_of_different_moments(slop, right_first):
    pairing = Pairing(slop=slop)
    pairing.play(FRAMES, FRAMES[:50] + FRAMES[52:], right_first)
    assert len(pairing.pairs) >= 50
    assert max(pairing.spreads) <= PERIOD / 2


@RIGHT_FIRST
@pytest.mark.parametrize('slop', [0.04, 0.2])
def test_pairing_recovers_from_a_loss_also_with_a_wide_slop(slop, right_first):
    pairing = Pairing(slop=slop)
    pairing.play(FRAMES, FRAMES[:50] + FRAMES[52:], right_first)
    assert len(pairing.pairs) >= 290


def test_two_sources_of_another_time_do_not_fill_the_log(package_log):
    pairing = Pairing(slop=0.03)
    for _ in range(20):
        pairing.play(FRAMES[100:120], FRAMES[100:120])
        pairing.play(FRAMES[:20], FRAMES[:20])
    assert pairing.jumps == 20
    told = [record.getMessage() for record in package_log.records]
    assert 1 <= len([line for line in told if line.startswith('time went back')]) <= FEWEST_JUMPS
    assert len([line for line in told if line.startswith('sync.slop is')]) == 1


def test_jitter_within_slop_pairs_every_frame_with_its_own():
    rng = np.random.default_rng(7)
    jitter = rng.integers(-2 * MS, 2 * MS, (2, 300))
    lefts, rights = (np.array(FRAMES) + jitter).tolist()
    pairing = Pairing(slop=0.005)
    pairing.play(lefts, rights)
    assert pairing.pairs == list(zip(lefts, rights))


def test_frames_farther_apart_than_slop_do_not_pair():
    pairing = Pairing(slop=0.005)
    pairing.play(FRAMES, [stamp + 6 * MS for stamp in FRAMES])
    assert pairing.pairs == []


@pytest.mark.parametrize('slop_ms', [0.001, 0.1, 1, 3.3, 5, 7, 10, 16])
def test_a_spread_equal_to_slop_pairs_and_a_microsecond_more_does_not(slop_ms):
    slop_ns = round(slop_ms * MS)
    at, beyond = Pairing(slop=slop_ms / 1000), Pairing(slop=slop_ms / 1000)
    at.play(FRAMES[:20], [stamp + slop_ns for stamp in FRAMES[:20]])
    beyond.play(FRAMES[:20], [stamp + slop_ns + 1000 for stamp in FRAMES[:20]])
    assert len(at.pairs) == 20
    assert beyond.pairs == []


def test_exact_mode_wants_equal_stamps():
    pairing = Pairing(mode='exact', slop=1.0)
    pairing.play(FRAMES[:20], [stamp + (n % 2) for n, stamp in enumerate(FRAMES[:20])])
    assert pairing.pairs == [(stamp, stamp) for stamp in FRAMES[:20:2]]


def test_a_whole_side_late_by_some_frames_still_pairs():
    pairing = Pairing(queue_size=10)
    for index, stamp in enumerate(FRAMES):
        pairing.left(stamp)
        if index >= 8:
            pairing.right(FRAMES[index - 8])
    assert pairing.pairs == [(stamp, stamp) for stamp in FRAMES[:-8]]


@pytest.mark.parametrize(('mode', 'size'), [('approximate', 10), ('exact', 10), ('exact', 1)])
def test_an_overflowing_queue_loses_the_oldest(mode, size):
    pairing = Pairing(mode=mode, queue_size=size)
    pairing.left(*FRAMES[:100])
    pairing.right(*FRAMES[:100])
    assert pairing.pairs == [(stamp, stamp) for stamp in FRAMES[100 - size : 100]]
    assert (pairing.sync.left.received, pairing.sync.left.paired) == (100, size)


@pytest.mark.parametrize('mode', ['approximate', 'exact'])
def test_time_going_back_starts_anew(mode, package_log):
    pairing = Pairing(mode=mode, queue_size=5)
    pairing.left(*FRAMES[295:])  # waiting for partners that never come
    pairing.right(*(stamp + 10 * SECOND for stamp in FRAMES[295:]))
    pairing.play(FRAMES[:100], FRAMES[:100])
    assert set(pairing.pairs) >= {(stamp, stamp) for stamp in FRAMES[1:100]}
    assert pairing.sync.left.received == 105
    assert any('time went back by' in r.getMessage() for r in package_log.records)


def test_a_looped_bag_pairs_every_round():
    pairing = Pairing()
    for _ in range(3):
        pairing.play(FRAMES, FRAMES)
    assert len(pairing.pairs) >= 3 * 300 - 2
    assert pairing.spreads == [0] * len(pairing.pairs)


def test_one_side_looping_first_does_not_stop_the_other(package_log):
    pairing = Pairing()
    pairing.play(FRAMES, FRAMES[:-1])
    pairing.left(FRAMES[0])  # the left has looped, the right still sends its last frame
    pairing.right(FRAMES[-1])
    pairing.play(FRAMES[1:], FRAMES)
    assert len(pairing.pairs) >= 299 + 298


@pytest.mark.parametrize('mode', ['approximate', 'exact'])
def test_stamps_below_zero_which_rclpy_cannot_read_cost_their_own_pair(mode, package_log):
    pairing = Pairing(mode=mode)
    pairing.left(-SECOND)
    pairing.right(-SECOND)
    pairing.play(FRAMES[:9], FRAMES[:9])
    assert pairing.pairs == [(stamp, stamp) for stamp in FRAMES[:9]]


def test_frames_out_of_order_are_no_jump(package_log):
    swapped = [FRAMES[n ^ 1] for n in range(100)]
    pairing = Pairing()
    for left, right in zip(swapped, swapped):
        pairing.left(left)
        pairing.right(right)
    assert len(pairing.pairs) == 100
    assert package_log.records == []


@pytest.mark.parametrize('mode', ['approximate', 'exact'])
def test_a_consumer_that_raises_does_not_stop_the_stream(mode, package_log):
    pairing = Pairing(mode=mode)
    pairing.fail_at = {0, 3}
    pairing.play(FRAMES[:10], FRAMES[:10])
    assert pairing.pairs == [(stamp, stamp) for stamp in FRAMES[:10]]
    lost = [r for r in package_log.records if r.levelname == 'ERROR']
    assert [r.getMessage() for r in lost] == ['a stereo pair was lost'] * 2
    assert 'the consumer broke' in str(lost[0].exc_info[1])


def test_the_log_of_a_lost_pair_says_why_also_through_the_ros_logger(package_log):
    from vizion3d_ros.ros.log import RosLogHandler

    pairing = Pairing()
    pairing.fail_at = {0}
    pairing.play(FRAMES[:1], FRAMES[:1])
    said = []

    class Logger:
        error = staticmethod(said.append)

    RosLogHandler(Logger()).emit(package_log.records[0])
    assert 'the consumer broke' in said[0]


def test_other_settings_drop_waiting_images_and_equal_ones_do_not():
    pairing = Pairing()
    pairing.left(FRAMES[0])
    pairing.sync.configure(SyncSettings())
    pairing.right(FRAMES[0])
    assert len(pairing.pairs) == 1
    pairing.left(FRAMES[1])
    pairing.sync.configure(SyncSettings(mode='exact'))
    pairing.right(FRAMES[1])
    assert len(pairing.pairs) == 1
    pairing.play(FRAMES[2:4], [FRAMES[2], FRAMES[3] + 1])
    assert pairing.pairs[1:] == [(FRAMES[2], FRAMES[2])]


def test_reset_forgets_what_waits_and_keeps_the_counters():
    pairing = Pairing()
    pairing.left(*FRAMES[:3])
    pairing.sync.reset()
    pairing.right(*FRAMES[:3])
    assert pairing.pairs == []
    assert pairing.sync.left.received == pairing.sync.right.received == 3
    assert pairing.sync.left.period_ns is None
