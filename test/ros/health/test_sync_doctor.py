# SPDX-License-Identifier: Apache-2.0
"""One sentence per reason why left and right images do not pair up, and none while they do."""

import time
from dataclasses import replace

import numpy as np
import pytest
from scene import stamped
from sensor_msgs.msg import Image

from vizion3d_ros.contracts.settings.stereo_settings import SyncSettings
from vizion3d_ros.incoming.sync import PairWords, StereoSync
from vizion3d_ros.ros.health.sync_doctor import (
    explain_few_pairs,
    explain_no_pairs,
    measure_offsets,
)
from vizion3d_ros.ros.stream.publishers import Endpoint, PublisherSeen

pytestmark = pytest.mark.ros

MS = 1_000_000
PERIOD = 100 * MS
IMAGE = 'sensor_msgs/msg/Image'
FRAMES = [10**9 + n * PERIOD for n in range(30)]
LIVE = {
    side: Endpoint(f'/robot/{side}/image_rect', IMAGE, (PublisherSeen(side, IMAGE, 'reliable'),))
    for side in ('left', 'right')
}
SILENT = {side: Endpoint(endpoint.topic, IMAGE) for side, endpoint in LIVE.items()}


def fed(lefts=(), rights=(), words=None, **settings):
    sync = StereoSync(SyncSettings(**settings), lambda *_: None, lambda: None, words=words)
    events = [(stamp, sync.add_left) for stamp in lefts]
    events += [(stamp, sync.add_right) for stamp in rights]
    for stamp, add in sorted(events, key=lambda event: event[0]):
        add(stamped(Image, stamp))
    sync.left.began = sync.right.began = 0.0  # long ago
    return sync


def test_both_sides_that_are_silent_are_named():
    text = explain_no_pairs(fed(), SILENT)
    assert text == (
        'no stereo pair: nobody publishes /robot/left/image_rect: start the camera or remap the '
        'topic; nobody publishes /robot/right/image_rect: start the camera or remap the topic'
    )


@pytest.mark.parametrize('side', ['left', 'right'])
def test_one_side_is_missing_and_only_that_one_is_named(side):
    other = {'left': 'rights', 'right': 'lefts'}[side]
    text = explain_no_pairs(fed(**{other: FRAMES}), {**LIVE, side: SILENT[side]})
    assert text.count('image_rect') == 1
    assert f'nobody publishes /robot/{side}/image_rect' in text


def test_a_machine_that_booted_just_now_is_told_the_same(monkeypatch):
    monkeypatch.setattr(time, 'monotonic', lambda: 30.0)
    text = explain_no_pairs(fed(timeout=60.0), SILENT)
    assert 'nobody publishes /robot/left/image_rect' in text


@pytest.mark.parametrize('late_ms', [20, -20])
def test_a_constant_offset_is_measured_and_the_slop_for_it_told(late_ms):
    text = explain_no_pairs(fed(FRAMES, [stamp + late_ms * MS for stamp in FRAMES]), LIVE)
    assert text.startswith('no stereo pair of left images at 30.0 Hz and right at 30.0 Hz: ')
    assert f'right stamps are {late_ms / 1e3:+.4f} s from the left ones' in text
    assert 'pairing wants at most 0.005 s' in text
    assert text.endswith('or set sync.slop to 0.024')


@pytest.mark.parametrize('hours', [1, -1])
def test_clocks_that_are_hours_apart_are_told_with_that_time(hours):
    ahead = [stamp + 3600 * 10**9 for stamp in FRAMES]
    sync = fed(FRAMES, ahead) if hours > 0 else fed(ahead, FRAMES)
    text = explain_no_pairs(sync, LIVE)
    assert f'right stamps are {hours * 3600:+.4f} s from the left ones' in text
    assert 'with a jitter of 0.0000 s' in text and 'synchronise the clocks' in text


@pytest.mark.parametrize('late_s', [0.02, 3600])
def test_a_clock_that_leaves_midway_is_told_without_what_was_before(late_s):
    before, after = FRAMES[:20], FRAMES[20:]
    sync = fed(FRAMES, before + [stamp + round(late_s * 1e9) for stamp in after])
    text = explain_no_pairs(sync, LIVE)
    assert f'right stamps are {late_s:+.4f} s from the left ones, with a jitter of 0.0000' in text


def test_the_slop_that_is_told_pairs_them():
    late = [stamp + 20 * MS for stamp in FRAMES]
    assert fed(FRAMES, late, slop=0.024).left.paired == len(FRAMES)


def test_an_offset_of_half_a_period_is_no_matter_of_slop():
    text = explain_no_pairs(fed(FRAMES, [stamp + 49 * MS for stamp in FRAMES]), LIVE)
    assert 'set sync.slop' not in text
    assert 'synchronise the clocks' in text


def test_a_side_in_whole_seconds_is_the_cause_and_not_its_clock():
    frames = [10**9 + n * 33 * MS for n in range(90)]
    rights = [stamp + 11 * MS for stamp in frames]
    sync = fed(rights=rights)
    for stamp in frames:
        sync.add_left(stamped(Image, stamp // 10**9 * 10**9))
    sync.left.began = 0.0
    text = explain_no_pairs(sync, LIVE)
    assert '/robot/left/image_rect carry stamps in whole seconds' in text
    assert 'right/image_rect' not in text and 'PTP' not in text


def test_exact_mode_wants_equal_stamps_and_no_slop():
    text = explain_no_pairs(fed(FRAMES, [stamp + 9 * MS for stamp in FRAMES], mode='exact'), LIVE)
    assert 'pairs equal stamps only' in text and 'set sync.mode to approximate' in text
    assert 'sync.slop' not in text


def test_time_that_went_back_on_one_side():
    sync = fed(FRAMES, FRAMES)
    sync.reset()
    sync.add_left(stamped(Image, FRAMES[0]))
    assert 'one side has sent nothing since time went back' in explain_no_pairs(sync, LIVE)


@pytest.mark.parametrize('began', ['left', 'right'])
def test_a_side_that_has_only_just_begun_may_still_pair_up(began):
    sync = fed(FRAMES, [stamp + 20 * MS for stamp in FRAMES])
    getattr(sync, began).began = time.monotonic()
    assert explain_no_pairs(sync, LIVE) == ''


def test_a_camera_that_was_found_just_now_is_not_missed_yet():
    since = time.monotonic() - 2.3
    new = {side: replace(endpoint, since=since) for side, endpoint in LIVE.items()}
    assert explain_no_pairs(fed(), new) == ''
    assert explain_no_pairs(fed(FRAMES), new) == '', 'the other side is late, too'
    text = explain_no_pairs(fed(), {**new, 'left': replace(LIVE['left'], since=since - 0.2)})
    assert 'nothing arrived on /robot/left' in text and 'right' not in text


@pytest.mark.parametrize(('seconds', 'told'), [(3.3, False), (3.6, True)])
def test_nobody_at_all_may_not_have_been_found_yet(seconds, told):
    since = time.monotonic() - seconds
    absent = {side: replace(endpoint, since=since) for side, endpoint in SILENT.items()}
    assert bool(explain_no_pairs(fed(), absent)) == told
    half = {**absent, 'left': LIVE['left']}
    assert 'nobody publishes /robot/right' in explain_no_pairs(fed(FRAMES), half)


def test_pairs_that_come_need_no_words():
    jitter = np.random.default_rng(3).integers(-2 * MS, 2 * MS, 30)
    sync = fed(FRAMES, (np.array(FRAMES) + jitter).tolist())
    assert explain_few_pairs(sync) == ''
    offsets = measure_offsets(sync.left, sync.right)
    assert abs(offsets.median) < 0.001 and offsets.jitter < 0.003


def test_nine_of_ten_out_of_slop_are_told_with_their_offset():
    late = [stamp + (8 * MS if n % 10 else 0) for n, stamp in enumerate(FRAMES)]
    text = explain_few_pairs(fed(FRAMES, late))
    assert text.startswith('only 10% of left images at 30.0 Hz and right at 30.0 Hz pair up: ')
    assert '+0.0080 s' in text and 'sync.slop to' in text


def test_one_camera_much_slower_than_the_other_is_the_reason():
    text = explain_few_pairs(fed(FRAMES, FRAMES[::5]))
    assert text.startswith('only 33% of left images')
    assert 'the right side lacks images' in text


@pytest.mark.parametrize('slow', ['left', 'right'])
def test_a_side_that_has_long_been_slower_is_named(slow):
    frames = [10**9 + n * PERIOD for n in range(200)]
    sides = {'lefts': frames, 'rights': frames, f'{slow}s': frames[::5]}
    text = explain_few_pairs(fed(**sides))
    assert f'the {slow} side lacks images' in text


def test_half_the_rate_on_one_side_pairs_most_images():
    assert explain_few_pairs(fed(FRAMES, FRAMES[::2])) == ''


def test_a_detector_may_be_slower_than_the_camera():
    words = PairWords('depth', 'masks', far_cure='stamp both alike', one_rate=False)
    assert explain_few_pairs(fed(FRAMES, FRAMES[::5], words)) == ''
    late = [stamp + 50 * MS for stamp in FRAMES[::2]]
    text = explain_few_pairs(fed(FRAMES, late, words))
    assert text.startswith('only 0% of those that could, depth images at 30.0 Hz and masks at')
    assert text.endswith('would pair up: stamp both alike')


def test_a_handful_of_images_proves_nothing():
    assert explain_few_pairs(fed(FRAMES[:4], [stamp + 8 * MS for stamp in FRAMES[:4]])) == ''


def test_an_outage_does_not_count_against_the_pairs_after_it(monkeypatch):
    now = 1000.0
    monkeypatch.setattr(time, 'monotonic', lambda: now)
    sync = fed(FRAMES, [])
    now += 2.5
    later = [stamp + 5 * 10**9 for stamp in FRAMES[:12]]
    for stamp in later:
        sync.add_left(stamped(Image, stamp))
        sync.add_right(stamped(Image, stamp))
    assert explain_few_pairs(sync) == ''
