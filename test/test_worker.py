# SPDX-License-Identifier: Apache-2.0
"""The worker with real threads. A frame is a function here; processing it is calling it."""

import threading
import weakref
from concurrent.futures import CancelledError, wait

import pytest
from hold import DEADLINE, Hold

from vizion3d_ros import worker as worker_module
from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.engine.loading import loading
from vizion3d_ros.worker import Worker


@pytest.fixture
def errors():
    return []


@pytest.fixture
def worker(errors):
    worker = Worker(lambda frame: frame(), errors.append)
    yield worker
    assert worker.close(DEADLINE)


@pytest.fixture
def busy(worker):
    """Something the worker is busy with; the test releases it."""
    hold = Hold()
    worker.put_frame(hold)
    assert hold.started.wait(DEADLINE)
    yield hold
    hold.release.set()


def finish(worker):
    """Wait until everything handed over before is done."""
    worker.call(lambda: None).result(DEADLINE)
    worker.call(lambda: None).result(DEADLINE)  # a frame may have had its turn in between


def test_a_frame_is_processed_in_the_worker_thread(worker):
    done, names = threading.Event(), []
    worker.put_frame(lambda: (names.append(threading.current_thread().name), done.set()))
    assert done.wait(DEADLINE)
    assert names == ['depth-worker']


def test_the_newest_frame_wins_and_losses_are_counted(worker, busy):
    seen = []
    for number in range(5):
        worker.put_frame(lambda number=number: seen.append(number))
    busy.release.set()
    finish(worker)
    assert seen == [4]
    assert worker.skipped == 4


def test_nothing_is_skipped_while_the_worker_keeps_up(worker):
    for _ in range(5):
        done = threading.Event()
        worker.put_frame(done.set)
        assert done.wait(DEADLINE)
    assert worker.skipped == 0


def test_every_request_is_answered_in_order_also_when_some_raise(worker, busy):
    order = []

    def request(number):
        order.append(number)
        if number % 3 == 0:
            raise ValueError(f'request {number}')
        return number * 10

    futures = [worker.call(lambda number=number: request(number)) for number in range(20)]
    busy.release.set()
    wait(futures, DEADLINE)
    assert order == list(range(20))
    for number, future in enumerate(futures):
        if number % 3 == 0:
            assert str(future.exception(0)) == f'request {number}'
        else:
            assert future.result(0) == number * 10


def test_requests_beyond_what_may_wait_are_refused_at_once(worker, busy, monkeypatch):
    monkeypatch.setattr(worker_module, 'MOST_REQUESTS', 2)
    first, second, third = (worker.call(lambda n=n: n) for n in range(3))
    with pytest.raises(BackendError, match='2 requests wait already'):
        third.result(DEADLINE)
    busy.release.set()
    assert (first.result(DEADLINE), second.result(DEADLINE)) == (0, 1)


def test_requests_from_many_threads_are_all_answered(worker):
    futures, lock = [], threading.Lock()

    def ask(base):
        for number in range(50):
            future = worker.call(lambda value=base + number: value)
            with lock:
                futures.append((base + number, future))

    callers = [threading.Thread(target=ask, args=(1000 * n,)) for n in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(DEADLINE)
    assert len(futures) == 200
    assert all(future.result(DEADLINE) == value for value, future in futures)


def test_an_exception_in_a_frame_is_reported_and_survived(worker, errors):
    def bad():
        raise RuntimeError('bad frame')

    worker.put_frame(bad)
    finish(worker)
    assert [str(error) for error in errors] == ['bad frame']
    assert worker.call(lambda: 'alive').result(DEADLINE) == 'alive'


def test_an_exception_in_a_request_does_not_count_as_a_lost_frame(worker, errors):
    with pytest.raises(ZeroDivisionError):
        worker.call(lambda: 1 / 0).result(DEADLINE)
    assert errors == []


def test_frames_and_requests_take_turns(worker, busy):
    order = []

    def frame():
        order.append('frame')
        if order.count('frame') < 4:
            worker.put_frame(frame)  # the camera never rests

    worker.put_frame(frame)
    futures = [worker.call(lambda: order.append('request')) for _ in range(4)]
    busy.release.set()
    wait(futures, DEADLINE)
    finish(worker)
    assert order == ['request', 'frame'] * 4


def test_a_stream_of_requests_does_not_starve_frames(worker, busy):
    processed, answers = threading.Event(), []

    def request():
        answers.append(processed.is_set())
        if len(answers) < 50:
            worker.call(request)

    worker.call(request)
    worker.put_frame(processed.set)
    busy.release.set()
    assert processed.wait(DEADLINE)
    finish(worker)
    assert answers[2], 'the frame came later than after two requests'


def test_close_answers_what_waits_and_drops_the_waiting_frame(worker, busy):
    seen = []
    worker.put_frame(lambda: seen.append('frame'))
    futures = [worker.call(lambda: seen.append('request')) for _ in range(3)]
    assert worker.close(0.0) is False
    for future in futures:
        with pytest.raises(BackendError, match='shutting down'):
            future.result(0)
    busy.release.set()
    assert worker.close(DEADLINE)
    assert seen == []


def test_close_while_busy_says_so_and_later_that_it_ended(worker, busy):
    assert worker.close(0.01) is False
    busy.release.set()
    assert worker.close(DEADLINE) is True
    assert worker.close(0.0) is True


def test_the_request_in_hand_is_still_answered_when_closing(worker):
    hold = Hold()
    future = worker.call(lambda: (hold(), 'done')[1])
    assert hold.started.wait(DEADLINE)
    assert worker.close(0.0) is False
    hold.release.set()
    assert future.result(DEADLINE) == 'done'


def test_after_close_requests_are_refused_and_frames_ignored(worker):
    seen = []
    assert worker.close(DEADLINE)
    worker.put_frame(lambda: seen.append('frame'))
    with pytest.raises(BackendError, match='shutting down'):
        worker.call(lambda: 1).result(0)
    assert seen == []


def test_an_idle_worker_closes_at_once(errors):
    assert Worker(lambda frame: frame(), errors.append).close(DEADLINE)


def test_a_cancelled_request_is_not_run_and_the_next_one_is(worker, busy):
    ran = []
    cancelled = worker.call(lambda: ran.append('cancelled'))
    kept = worker.call(lambda: ran.append('kept'))
    assert cancelled.cancel()
    busy.release.set()
    kept.result(DEADLINE)
    assert ran == ['kept']
    with pytest.raises(CancelledError):
        cancelled.result(0)


def test_a_cancelled_request_is_let_go_at_once_and_does_not_disturb_close(worker, busy):
    """It may hold two large images, and what is in hand may take minutes."""
    gone, request = threading.Event(), Hold()
    weakref.finalize(request, gone.set)
    future = worker.call(request)
    del request
    assert future.cancel()
    assert gone.wait(2.0)
    assert worker.close(0.0) is False


def test_a_finished_frame_is_let_go(worker):
    """An image pair is megabytes: it must not live on until the next one comes."""
    gone = threading.Event()

    class Frame:
        def __call__(self):
            pass

    frame = Frame()
    weakref.finalize(frame, gone.set)
    worker.put_frame(frame)
    del frame
    assert gone.wait(2.0)


def test_the_thread_does_not_keep_the_process_alive(worker):
    names = {thread.name: thread.daemon for thread in threading.enumerate()}
    assert names['depth-worker'] is True


def test_loading_goes_before_all_that_waits_and_the_newest_replaces_the_older(worker, busy):
    order = []
    worker.put_frame(lambda: order.append('frame'))
    request = worker.call(lambda: order.append('request'))
    for number in range(3):
        worker.load(lambda number=number: order.append(number))
    busy.release.set()
    request.result(DEADLINE)
    finish(worker)
    assert order[0] == 2 and sorted(order[1:]) == ['frame', 'request']


def test_who_waits_for_a_worker_that_does_not_come_back_can_be_answered(worker):
    hold = Hold()
    in_hand, waiting = worker.call(hold), worker.call(lambda: 'too late')
    assert hold.started.wait(DEADLINE)
    assert worker.in_hand
    worker.give_up('it hangs')
    for future in (in_hand, waiting):
        assert str(future.exception(DEADLINE)) == 'it hangs'
    hold.release.set()
    assert worker.call(lambda: 'alive').result(DEADLINE) == 'alive'


def test_it_is_known_from_outside_that_the_worker_loads(worker):
    hold, was = Hold(), []

    def load():
        with loading():
            hold()

    worker.load(load)
    assert hold.started.wait(DEADLINE)
    was.append(worker.is_loading)
    hold.release.set()
    finish(worker)
    assert [*was, worker.is_loading] == [True, False]
