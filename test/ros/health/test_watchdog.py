# SPDX-License-Identifier: Apache-2.0
"""One sentence per situation in which no pair comes."""

import re
import time

import pytest
from scene import stamped
from sensor_msgs.msg import Image

from vizion3d_ros.contracts.settings.stereo_settings import SyncSettings
from vizion3d_ros.ros.health.watchdog import Endpoint, explain_no_pairs
from vizion3d_ros.ros.stream.sync import StereoSync

pytestmark = pytest.mark.ros

MS = 1_000_000
PERIOD = 100 * MS
LIVE = {
    'left': Endpoint('/robot/left/image_rect', ['reliable']),
    'right': Endpoint('/robot/right/image_rect', ['best_effort', 'reliable']),
}
SILENT = {side: Endpoint(endpoint.topic, []) for side, endpoint in LIVE.items()}


def fed(lefts=(), rights=(), **settings):
    sync = StereoSync(SyncSettings(**settings), lambda left, right: None)
    for stamp in lefts:
        sync.add_left(stamped(Image, stamp))
    for stamp in rights:
        sync.add_right(stamped(Image, stamp))
    return sync


FRAMES = [10**9 + n * PERIOD for n in range(10)]


def test_nobody_publishes():
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


def test_publishers_that_nothing_comes_from_are_listed_with_their_qos():
    text = explain_no_pairs(fed(lefts=FRAMES), LIVE)
    assert 'nothing arrived on /robot/right/image_rect, which has 2 publisher(s)' in text
    assert '(best_effort, reliable)' in text
    assert 'transport profile' in text
    assert 'left' not in text


def test_a_camera_that_died_is_told_with_its_last_sign_of_life():
    sync = fed(lefts=FRAMES, rights=FRAMES)
    sync.left.arrived = time.monotonic() - 7.0
    text = explain_no_pairs(sync, LIVE)
    assert re.search(r'the last image came 7\.\d s ago on /robot/left/image_rect', text)
    assert 'right' not in text


def test_stamps_that_differ_give_rates_offset_and_what_pairing_wants():
    text = explain_no_pairs(fed(FRAMES, [stamp + 20 * MS for stamp in FRAMES]), LIVE)
    assert text.startswith('no stereo pair: left 10 images at 10.0 Hz, right 10 images at 10.0 Hz')
    assert 'the newest stamps differ by -0.0200 s (left - right)' in text
    assert 'pairing wants 0.005 s' in text
    assert 'raise sync.slop' in text


def test_the_offset_has_the_sign_it_says():
    text = explain_no_pairs(fed([stamp + 20 * MS for stamp in FRAMES], FRAMES), LIVE)
    assert 'differ by +0.0200 s (left - right)' in text


def test_exact_mode_wants_equal_stamps():
    text = explain_no_pairs(fed(FRAMES, [stamp + 1 * MS for stamp in FRAMES], mode='exact'), LIVE)
    assert 'pairs equal stamps only' in text


def test_exact_mode_is_not_told_to_raise_a_slop_it_does_not_use():
    text = explain_no_pairs(fed(FRAMES, [stamp + 1 * MS for stamp in FRAMES], mode='exact'), LIVE)
    assert 'raise sync.slop' not in text
    assert 'sync.mode' in text


def test_a_first_image_has_no_rate_yet():
    text = explain_no_pairs(fed(FRAMES[:1], [FRAMES[0] + 20 * MS]), LIVE)
    assert 'left 1 images, right 1 images;' in text


def test_time_that_went_back_on_one_side():
    sync = fed(FRAMES, FRAMES)
    sync.reset()
    sync.add_left(stamped(Image, FRAMES[0]))
    assert 'one side has sent nothing since time went back' in explain_no_pairs(sync, LIVE)


def test_a_machine_that_booted_just_now_is_told_the_same(monkeypatch):
    monkeypatch.setattr(time, 'monotonic', lambda: 30.0)
    text = explain_no_pairs(fed(timeout=60.0), SILENT)
    assert 'nobody publishes /robot/left/image_rect' in text
