# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from vizion3d_ros.contracts.topic_names import (
    CONFIDENCE,
    DEPTH,
    DISPARITY,
    LEFT,
    POINTS,
    RELATIVE,
    TRUE_DEPTH,
)
from vizion3d_ros.report import recording
from vizion3d_ros.report.recording import Recording


def feed(run, topic, indices, age_ns=0, values=None):
    for index in indices:
        run.add(topic, index, index + age_ns, values)


def test_messages_that_all_arrived_are_not_lost():
    run = Recording()
    for topic in (LEFT, DEPTH, DISPARITY, CONFIDENCE, TRUE_DEPTH):
        feed(run, topic, range(1, 11))
    assert set(run.lost().values()) == {0}


def test_an_output_missing_beside_others_is_lost():
    run = Recording()
    feed(run, LEFT, range(1, 11))
    feed(run, DEPTH, range(1, 9))
    feed(run, DISPARITY, range(3, 10))
    # outputs came for frames 1 to 9: depth lacks one of them, disparity two
    assert run.lost() == {LEFT: 0, DEPTH: 1, DISPARITY: 2}


def test_frames_the_node_skipped_are_not_lost():
    run = Recording()
    feed(run, LEFT, range(1, 11))
    feed(run, DEPTH, range(1, 11, 2))
    assert run.lost() == {LEFT: 0, DEPTH: 0}


def test_an_image_that_was_answered_but_never_seen_is_lost():
    run = Recording()
    feed(run, LEFT, range(1, 9))
    feed(run, DEPTH, range(1, 11))
    assert run.lost() == {LEFT: 2, DEPTH: 0}


def test_losses_reported_by_the_middleware_are_not_counted_twice():
    run = Recording()
    feed(run, LEFT, range(1, 11))
    feed(run, DEPTH, range(1, 9))
    feed(run, DISPARITY, range(1, 11))
    feed(run, POINTS, range(1, 11, 2))
    run.add_lost(DEPTH, 1)
    run.add_lost(DISPARITY, 2)
    run.add_lost(DISPARITY, 1)
    assert run.lost() == {LEFT: 0, DEPTH: 2, DISPARITY: 3, POINTS: 0}


def test_disparity_is_the_answer_only_without_depth():
    run = Recording()
    feed(run, DISPARITY, range(1, 4), age_ns=5)
    assert run.answer_ages_ns == [5, 5, 5]
    feed(run, DEPTH, range(1, 3), age_ns=7)
    assert run.answer_ages_ns == [7, 7]


def test_a_relative_answer_counts_only_without_depth_and_disparity():
    run = Recording()
    feed(run, RELATIVE, range(1, 4), age_ns=5)
    assert (run.answer_topic, run.answer_ages_ns) == (RELATIVE, [5, 5, 5])
    feed(run, DEPTH, range(2, 4), age_ns=7)
    assert (run.answer_topic, run.answer_ages_ns) == (DEPTH, [7, 7])


def test_depth_without_a_scale_is_not_lost():
    run = Recording(frames=4)
    feed(run, LEFT, range(1, 5))
    feed(run, RELATIVE, (1, 2, 4))
    feed(run, DEPTH, (3, 4))  # no scale for frames 1 and 2; the relative answer to 3 is lost
    assert run.lost() == {LEFT: 0, RELATIVE: 1, DEPTH: 0}
    assert not run.complete


def test_a_run_of_relative_answers_can_be_complete():
    run = Recording(frames=2)
    feed(run, LEFT, range(1, 3))
    feed(run, RELATIVE, range(1, 3))
    assert run.complete


def test_frames_beyond_those_of_interest_are_ignored():
    run = Recording(frames=3)
    feed(run, LEFT, range(1, 6))
    assert not run.add(DEPTH, 4, 4)
    feed(run, DEPTH, range(1, 3))
    assert not run.complete
    assert run.add(DEPTH, 3, 3)
    assert run.complete
    assert run.received() == {LEFT: 3, DEPTH: 3}


def test_a_run_without_answers_is_not_complete():
    run = Recording(frames=2)
    feed(run, LEFT, range(1, 3))
    assert not run.complete


@pytest.mark.parametrize('count', [3, 40, 41, 1000])
def test_kept_frames_are_few_and_evenly_spread(count):
    run = Recording()
    feed(run, DEPTH, range(count), values=np.zeros((2, 2), np.float32))
    stamps = sorted(run.kept)
    assert min(count, recording.MOST_KEPT // 2) <= len(stamps) <= recording.MOST_KEPT
    assert len(set(np.diff(stamps))) == 1
    assert stamps[0] == 0 and stamps[-1] >= count - 1 - (stamps[1] - stamps[0])


def test_large_frames_are_kept_in_smaller_numbers():
    run = Recording()
    large = np.broadcast_to(np.float32(1), (2000, 3000))
    feed(run, DEPTH, range(50), values=large)
    assert 1 <= len(run.kept) * large.size <= recording.KEPT_PIXELS


def test_the_best_frame_is_the_newest_of_the_fullest():
    run = Recording()
    maps = {index: np.full((2, 2), index, np.float32) for index in range(1, 6)}
    for index in range(1, 5):
        run.add(LEFT, index, index, maps[index])
    for index in range(1, 4):
        run.add(DEPTH, index, index, maps[index])
    run.add(LEFT, 5, 5, maps[5])
    assert run.best[DEPTH][0, 0] == run.best[LEFT][0, 0] == run.best_ns == 3
