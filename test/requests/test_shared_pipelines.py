# SPDX-License-Identifier: Apache-2.0
"""Pipelines of a process: made once, used by one thread at a time, different ones side by side."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from vizion3d_ros.requests.shared import SharedPipelines
from vizion3d_ros.requests.threads import one_thread

PATIENCE_S = 30.0


class Counted:
    made = 0

    def __init__(self, device):
        type(self).made += 1
        self.device, self.users, self.most = device, 0, 0


@pytest.fixture
def shared():
    Counted.made = 0
    return SharedPipelines(Counted)


def test_one_pipeline_per_device_and_model(shared):
    seen = []
    for device, model in (('cpu', 'a'), ('cpu', 'b'), ('cuda:0', 'a'), ('cpu', 'a')):
        with shared.use(device, model) as pipeline:
            assert pipeline.device == device
            seen.append(pipeline)
    assert Counted.made == 3
    assert seen[3] is seen[0]


def test_threads_take_turns_with_one_pipeline(shared):
    start = threading.Barrier(8)

    def work(_):
        start.wait(PATIENCE_S)
        for _ in range(5):
            with shared.use('cpu', 'a') as pipeline:
                pipeline.users += 1
                pipeline.most = max(pipeline.most, pipeline.users)
                threading.Event().wait(0.001)  # long enough for others to come in, if they could
                pipeline.users -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    with shared.use('cpu', 'a') as pipeline:
        assert (pipeline.most, Counted.made) == (1, 1)


def test_different_pipelines_run_side_by_side(shared):
    meeting = threading.Barrier(2)

    def work(model):
        with shared.use('cpu', model):
            meeting.wait(PATIENCE_S)  # breaks unless both are inside

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, 'ab'))


def test_a_pipeline_is_free_again_after_a_failure(shared):
    with pytest.raises(RuntimeError), shared.use('cpu', 'a') as failed:
        raise RuntimeError('of the matcher')
    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(lambda: shared.use('cpu', 'a').__enter__())
        assert other.result(PATIENCE_S) is failed


def test_the_number_of_threads_is_put_back():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError), one_thread():
        assert torch.get_num_threads() == 1
        raise RuntimeError('of the matcher')
    assert torch.get_num_threads() == before
