# SPDX-License-Identifier: Apache-2.0
"""A thing is said at once, and again only now and then."""

import pytest

from vizion3d_ros.ros import throttle
from vizion3d_ros.ros.throttle import MOST_TEXTS, REPEAT_SECONDS, Pace, Throttle


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when the test says so."""
    now = [100.0]
    monkeypatch.setattr(throttle.time, 'monotonic', lambda: now[0])
    return now


def test_a_text_is_repeated_after_ten_seconds_only(clock):
    said = Throttle()
    assert said.allows('no images')
    clock[0] += REPEAT_SECONDS - 0.1
    assert not said.allows('no images')
    clock[0] += 0.2
    assert said.allows('no images')


def test_texts_do_not_silence_each_other_and_taking_turns_does_not_help(clock):
    said = Throttle()
    assert [said.allows(text) for text in ('a', 'b', 'a', 'b', 'a')] == [True, True] + [False] * 3


def test_some_may_be_said_a_few_times(clock):
    said = Throttle(most=3)
    answers = []
    for _ in range(12):
        answers.append(said.allows('calibrated'))
        clock[0] += 2.0
    assert answers == [True] * 3 + [False] * 2 + [True] * 3 + [False] * 2 + [True] * 2


def test_another_number_is_no_news(clock):
    said = Throttle()
    assert said.allows('the last image came 2.1 s ago')
    assert not said.allows('the last image came 12.6 s ago')


def test_memory_is_bounded(clock):
    said = Throttle()
    letters = 'abcdefghijklmnopqrstuvwxyz'
    texts = [one + two for one in letters for two in letters][: 3 * MOST_TEXTS]
    assert all(said.allows(text) for text in texts)
    assert 0 < sum(not said.allows(text) for text in reversed(texts)) <= MOST_TEXTS


def count(pace, clock, period, seconds, step):
    """How many come in so many seconds, asked for every step."""
    came = 0
    for _ in range(round(seconds / step)):
        clock[0] += step
        came += pace.allows(period)
    return came


def test_a_pace_is_kept_though_nobody_asks_at_its_moments(clock):
    assert count(Pace(), clock, period=0.1, seconds=10, step=0.03) == pytest.approx(100, abs=1)
    assert count(Pace(), clock, period=0.1, seconds=10, step=0.25) == 40
    assert count(Pace(), clock, period=0.0, seconds=10, step=0.25) == 40


def test_what_comes_at_that_pace_by_itself_all_passes(clock):
    pace, steps = Pace(), [0.09, 0.11, 0.1] * 100
    came = 0
    for step in steps:
        clock[0] += step
        came += pace.allows(0.1)
    assert came == len(steps)


def test_after_a_long_silence_there_is_no_burst(clock):
    pace = Pace()
    pace.allows(1.0)
    clock[0] += 60.0
    assert [pace.allows(1.0) for _ in range(5)] == [True, False, False, False, False]


def test_a_shorter_period_counts_at_once(clock):
    pace = Pace()
    assert [pace.allows(3600.0) for _ in range(3)] == [True, False, False]
    clock[0] += 1.0
    assert pace.allows(0.5)


def test_one_that_comes_a_little_early_keeps_the_pace(clock):
    reports = count(Pace(early=0.05), clock, period=1.0, seconds=100, step=0.4999)
    assert reports == pytest.approx(100, abs=1)
