# SPDX-License-Identifier: Apache-2.0
"""One sentence per reason why nothing comes on an input."""

import math
import re
import time

import pytest

from vizion3d_ros.incoming.input_stats import InputStats
from vizion3d_ros.ros.health.watchdog import (
    explain_ahead,
    explain_missing,
    explain_silence,
    explain_unstamped,
)
from vizion3d_ros.ros.stream.publishers import Endpoint, PublisherSeen

pytestmark = pytest.mark.ros

TOPIC = '/robot/left/image_rect'
IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
PERIOD_NS = 33_333_333


def endpoint(*publishers, similar=()):
    return Endpoint(TOPIC, IMAGE, tuple(publishers), similar)


def heard(frames=range(30), first_ns=0):
    stats = InputStats()
    for frame in frames:
        stats.add(first_ns + frame * PERIOD_NS)
    return stats


def test_nobody_publishes():
    text = explain_silence(endpoint(), InputStats())
    assert text == f'nobody publishes {TOPIC}: start the camera or remap the topic'


def test_topics_that_may_have_been_meant_are_offered():
    text = explain_silence(endpoint(similar=('/cam/left/image_rect',)), InputStats())
    assert text.endswith('; topics of its type: /cam/left/image_rect')


def test_a_name_that_ends_in_compressed_already_is_told_to_leave_that_out():
    twice = Endpoint(f'{TOPIC}/compressed/compressed', 'sensor_msgs/msg/CompressedImage')
    text = explain_silence(twice, InputStats())
    assert text.endswith(
        'remap the topic, leaving /compressed out of the name: it is put behind it'
    )


def test_publishers_that_nothing_comes_from_are_listed_with_their_qos():
    silent = [PublisherSeen('camera', IMAGE, qos) for qos in ('best_effort', 'reliable')]
    text = explain_silence(endpoint(*silent), InputStats())
    assert f'nothing arrived on {TOPIC}, which has 2 publisher(s)' in text
    assert '(best_effort, reliable)' in text
    assert 'transport profile' in text


def test_a_camera_that_died_is_told_with_its_last_sign_of_life():
    stats = heard()
    stats.arrived = time.monotonic() - 7.0
    text = explain_silence(endpoint(PublisherSeen('camera', IMAGE, 'reliable')), stats)
    assert re.match(rf'the last image came 7\.\d s ago on {TOPIC}', text)


@pytest.mark.parametrize(
    ('kind', 'switchable', 'cure'),
    [
        (COMPRESSED, True, 'set image_transport to compressed'),
        (COMPRESSED, False, 'takes raw images alone: have `image_transport republish` make'),
        ('sensor_msgs/msg/CameraInfo', True, 'remap this input'),
    ],
)
def test_another_type_on_the_topic_is_named_with_its_cure(kind, switchable, cure):
    seen = PublisherSeen('camera', kind, 'reliable')
    text = explain_silence(Endpoint(TOPIC, IMAGE, (seen,), switchable=switchable), InputStats())
    assert f'{TOPIC} carries the type {kind} (from camera), expected {IMAGE}' in text
    assert cure in text and ('set image_transport' in text) is (switchable and kind == COMPRESSED)


@pytest.mark.parametrize(
    ('switchable', 'cure'),
    [(True, 'set image_transport to compressed'), (False, 'takes raw images alone')],
)
def test_images_of_the_other_transport_are_named_with_their_cure(switchable, cure):
    packed = f'{TOPIC}/compressed'
    beside = Endpoint(TOPIC, IMAGE, other_transport=packed, switchable=switchable)
    text = explain_silence(beside, InputStats())
    assert f'but {packed} carries these images: ' in text and cure in text


def test_a_silent_publisher_of_the_right_type_is_told_beside_one_of_another():
    right = PublisherSeen('camera', IMAGE, 'reliable')
    other = PublisherSeen('other', 'std_msgs/msg/String', 'reliable')
    mixed = endpoint(other, right)
    assert mixed.unheard == [other]
    text = explain_silence(mixed, InputStats())
    assert 'the type std_msgs/msg/String (from other)' in text and 'nothing arrived' in text


def test_a_qos_that_does_not_fit_is_named_with_its_cure():
    deaf = endpoint(PublisherSeen('camera', IMAGE, 'best_effort', 'Best effort publisher'))
    text = explain_silence(deaf, InputStats())
    assert 'Best effort publisher' in text and 'set qos_overrides' in text


def test_a_stream_without_gaps_lacks_nothing():
    assert explain_missing(TOPIC, heard(range(100))) == ''


def test_a_camera_that_stood_still_for_a_while_lost_no_images():
    assert explain_missing(TOPIC, heard([*range(50), *range(150, 200)])) == ''


@pytest.mark.parametrize('slower', [2, 6, 10])
def test_a_camera_that_slows_down_as_at_dusk_lost_no_images(slower):
    stats = heard(range(40))
    for frame in range(40, 40 + 30 * slower, slower):
        stats.add(frame * PERIOD_NS)
        assert explain_missing(TOPIC, stats) == ''
    assert stats.missing == 0


def test_images_lost_on_the_way_are_told_with_their_share():
    survivors = [frame for frame in range(150) if frame % 7 in (0, 1, 4)]
    text = explain_missing(TOPIC, heard(survivors))
    assert re.match(rf'5\d% of the images on {TOPIC} never arrive', text)
    assert 'transport profile' in text


@pytest.mark.parametrize(
    ('stamp_ns', 'images', 'words'),
    [(0, 3, 'carry the stamp 0'), (75 * 10**8, 10, 'carry the same stamp, 7.500 s'), (1, 9, '')],
)
def test_stamps_that_never_change_are_named_with_their_cure(stamp_ns, images, words):
    text = explain_unstamped(TOPIC, heard([0] * images, stamp_ns))
    assert words in text and bool(words) is ('have the driver set header.stamp' in text)


def test_stamps_below_zero_are_named_as_soon_as_all_are():
    assert explain_unstamped(TOPIC, heard(range(2), -90 * 10**9)) == ''
    text = explain_unstamped(TOPIC, heard(range(3), -90 * 10**9))
    assert f'{TOPIC} carry stamps below 0 (-89.933 s)' in text and 'header.stamp' in text


@pytest.mark.parametrize(('ahead_s', 'words'), [(3600, '3600.0 s ahead'), (0.5, ''), (-3600, '')])
def test_stamps_of_the_future_are_told_and_those_of_a_bag_are_not(ahead_s, words):
    stats, now_ns = heard(first_ns=10**18), 10**18 + 29 * PERIOD_NS
    text = explain_ahead(TOPIC, stats, now_ns - round(ahead_s * 1e9))
    assert words in text and bool(words) is ('synchronise the clocks' in text)
    assert explain_ahead(TOPIC, stats, 0) == '', 'simulated time has not come yet'


def test_stamps_that_change_are_good():
    assert explain_unstamped(TOPIC, heard()) == ''


@pytest.fixture
def clock(monkeypatch):
    """Seconds on the clock of those who count; a list, to be set."""
    now = [1000.0]
    monkeypatch.setattr(time, 'monotonic', lambda: now[0])
    return now


def arriving(clock, rate_hz, seconds, stamp, stats=None):
    """What an input has seen of images at that rate, each with stamp(its time) in seconds."""
    stats = stats or InputStats()
    for _ in range(round(rate_hz * seconds)):
        clock[0] += 1 / rate_hz
        stats.add(round(stamp(clock[0]) * 1e9))
    return stats


@pytest.mark.parametrize('rate_hz', [2, 5, 30, 90])
def test_stamps_in_whole_seconds_are_told_with_their_cure_within_three_seconds(clock, rate_hz):
    text = explain_unstamped(TOPIC, arriving(clock, rate_hz, 3.0, math.floor))
    assert f'{TOPIC} carry stamps in whole seconds (' in text
    assert 'header.stamp.nanosec is always 0' in text and 'have the driver set' in text


@pytest.mark.parametrize('rate_hz', [2, 30, 90])
def test_whole_seconds_are_told_in_the_same_words_from_the_first_one_on(clock, rate_hz):
    stats, told = InputStats(), set()
    for _ in range(8 * rate_hz):
        arriving(clock, rate_hz, 1 / rate_hz, math.floor, stats)
        told.add(re.sub(r'[\d.]+', '', explain_unstamped(TOPIC, stats)))
    assert len(told - {''}) == 1, told


@pytest.mark.parametrize('rate_hz', [0.5, 1, 30])
def test_a_camera_that_is_triggered_on_the_whole_second_is_healthy(clock, rate_hz):
    every = max(1, round(rate_hz))
    stats = arriving(clock, rate_hz, 20.0, lambda now: 1 + round(now * rate_hz) / every)
    assert explain_unstamped(TOPIC, stats) == ''


def test_a_clock_that_ticks_slower_than_the_camera_is_told(clock):
    text = explain_unstamped(TOPIC, arriving(clock, 30, 5.0, lambda now: int(now * 10) / 10))
    assert 'carry stamps that several share (3.0 images each)' in text


def test_whole_seconds_that_are_cured_are_forgotten_at_once(clock):
    stats = arriving(clock, 30, 5.0, math.floor)
    arriving(clock, 30, 0.5, lambda now: now, stats)
    assert explain_unstamped(TOPIC, stats) == ''


def test_a_stamp_that_stands_on_a_whole_second_is_told_a_little_later(clock):
    stats = arriving(clock, 30, 1.0, lambda _: 7)
    assert explain_unstamped(TOPIC, stats) == ''
    arriving(clock, 30, 0.5, lambda _: 7, stats)
    assert 'carry the same stamp, 7.000 s' in explain_unstamped(TOPIC, stats)


@pytest.mark.parametrize('rate_hz', [2, 10, 30])
def test_stamps_that_stand_still_are_told_and_forgotten_at_once(clock, rate_hz):
    stats, told = arriving(clock, rate_hz, 5.0, lambda now: now), set()
    stopped = clock[0] + 0.25
    for _ in range(6 * rate_hz):
        arriving(clock, rate_hz, 1 / rate_hz, lambda _: stopped, stats)
        told.add(explain_unstamped(TOPIC, stats))
    assert any('carry the same stamp' in text for text in told)
    arriving(clock, rate_hz, 3 / rate_hz, lambda now: now, stats)
    assert explain_unstamped(TOPIC, stats) == '', 'told after it was cured'


def test_stamps_that_jump_back_again_and_again_are_told_and_a_bag_that_starts_again_is_not(clock):
    stats, told = InputStats(), []
    for second in range(3):
        assert not stats.goes_back((10 + second) * 10**9)
        stats.add((10 + second) * 10**9)
        clock[0] += 0.4
        assert stats.goes_back(10**9)
        stats.restart()
        told.append(explain_unstamped(TOPIC, stats))
    assert told[:2] == ['', '']
    assert 'went back 3 times' in told[2] and 'one node alone publishes it' in told[2]
    clock[0] += 2.0
    assert explain_unstamped(TOPIC, stats) == '', 'told after it was cured'
