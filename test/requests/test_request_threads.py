# SPDX-License-Identifier: Apache-2.0
"""Callers that overlap leave the number of threads as the first of them found it."""

import threading

import pytest
import torch

from vizion3d_ros.requests.threads import one_thread

DEADLINE = 10.0


@pytest.fixture(autouse=True)
def three():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_one_caller_has_one_thread_and_then_all_again():
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3


def test_the_number_of_threads_is_put_back_after_a_failure():
    with pytest.raises(RuntimeError, match='of the matcher'), one_thread():
        assert torch.get_num_threads() == 1
        raise RuntimeError('of the matcher')
    assert torch.get_num_threads() == 3


def test_overlapping_callers_leave_all_threads_to_everybody():
    entered, leave, seen = threading.Event(), threading.Event(), []

    def other():
        with one_thread():
            entered.set()
            assert leave.wait(DEADLINE)
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=other)
    with one_thread():
        thread.start()
        assert entered.wait(DEADLINE)
    assert torch.get_num_threads() == 3
    leave.set()
    thread.join(DEADLINE)
    late = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    late.start()
    late.join(DEADLINE)
    assert seen == [3, 3]
