# SPDX-License-Identifier: Apache-2.0
"""A thing is said at once, and again only now and then."""

import pytest

from vizion3d_ros.ros import throttle
from vizion3d_ros.ros.throttle import MOST_TEXTS, REPEAT_SECONDS, Throttle


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
