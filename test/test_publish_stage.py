# SPDX-License-Identifier: Apache-2.0
"""Computing and publishing side by side, with real threads. A frame is what publishes it."""

import threading
import weakref
from contextlib import nullcontext

import pytest
import torch
from hold import DEADLINE, Hold

from vizion3d_ros.engine.device import own_stream
from vizion3d_ros.worker import PublishStage, Worker


@pytest.fixture
def errors():
    return []


@pytest.fixture
def stage(errors, device):
    stage = PublishStage(lambda frame: frame, errors.append, own_stream(torch.device(device)))
    yield stage
    assert stage.close(DEADLINE)


def finish(stage):
    """Wait until everything handed over before is out."""
    done = threading.Event()
    stage(done.set)
    assert done.wait(DEADLINE)


def test_a_frame_is_computed_while_the_one_before_goes_out(stage):
    hold = Hold()
    stage(hold)  # returns although its publishing lasts
    assert hold.started.wait(DEADLINE)
    hold.release.set()


def test_the_second_waits_for_the_first_and_order_is_kept(stage):
    out, hold = [], Hold()
    stage(hold)
    assert hold.started.wait(DEADLINE)
    handed_over = threading.Event()

    def more():
        for number in range(20):
            stage(lambda number=number: out.append(number))
        handed_over.set()

    threading.Thread(target=more).start()
    assert not handed_over.wait(0.05), 'frames pile up'
    assert out == []
    hold.release.set()
    assert handed_over.wait(DEADLINE)
    finish(stage)
    assert out == list(range(20))


def test_the_newest_frame_is_computed_once_publishing_is_free(errors):
    computed, hold, second, last = [], Hold(), threading.Event(), threading.Event()

    def compute(frame):
        computed.append(frame)
        if frame == 1:
            second.set()
        return {0: hold, 9: last.set}.get(frame, lambda: None)

    stage = PublishStage(compute, errors.append, nullcontext())
    worker = Worker(stage, errors.append)
    worker.put_frame(0)
    assert hold.started.wait(DEADLINE)
    worker.put_frame(1)
    assert second.wait(DEADLINE)  # and waits for 0 to go out
    for frame in range(2, 10):
        worker.put_frame(frame)
    hold.release.set()
    assert last.wait(DEADLINE)
    assert computed == [0, 1, 9]
    assert worker.skipped == 7
    assert worker.close(DEADLINE) and stage.close(DEADLINE)
    assert errors == []


def test_an_error_is_told_and_the_next_frame_goes_out(stage, errors):
    fault = RuntimeError('a bad frame')

    def fail():
        raise fault

    stage(fail)
    finish(stage)
    assert errors == [fault]


def test_a_frame_with_nothing_to_publish_is_done(errors):
    stage = PublishStage(lambda frame: None, errors.append, nullcontext())
    stage(object())
    assert stage.close(DEADLINE)


def test_nothing_keeps_a_published_frame_alive(stage):
    class Image:
        def __call__(self):
            pass

    image = Image()
    gone = weakref.ref(image)
    stage(image)
    del image
    finish(stage)
    assert gone() is None


def test_closing_lets_the_one_that_waits_go(errors):
    stage = PublishStage(lambda frame: frame, errors.append, nullcontext())
    hold = Hold()
    stage(hold)
    assert hold.started.wait(DEADLINE)
    waiting = threading.Thread(target=stage, args=(lambda: None,))
    waiting.start()
    assert not stage.close(0.05), 'it is still publishing'
    waiting.join(DEADLINE)
    assert not waiting.is_alive()
    hold.release.set()
    assert stage.close(DEADLINE)
