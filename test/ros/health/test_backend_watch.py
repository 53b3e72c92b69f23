# SPDX-License-Identifier: Apache-2.0
"""A backend that hangs: who waits for it is told with what helps at this node."""

import threading
import time

import pytest

from vizion3d_ros.contracts.errors import BackendError
from vizion3d_ros.ros.health.backend_watch import BackendWatch
from vizion3d_ros.worker import Worker

pytestmark = pytest.mark.ros


@pytest.fixture
def hung():
    """A worker at a job that does not come back, and the future of it."""
    came_back = threading.Event()
    worker = Worker(lambda _: None, lambda _: None)
    yield worker, worker.call(came_back.wait)
    came_back.set()
    assert worker.close(5.0)


@pytest.mark.parametrize('cure', [None, 'restart the node, or call the operator'])
def test_who_waits_is_told_with_the_cure_that_there_is(hung, cure):
    worker, future = hung
    watch = BackendWatch(worker, lambda: 0.01, *filter(None, [cure]))
    deadline = time.monotonic() + 5.0
    while not (text := watch.look()):
        assert time.monotonic() < deadline
    assert f'if it hangs, {cure or "restart the node"}; if it is only slow' in text
    with pytest.raises(BackendError, match='has not come back'):
        future.result(0)
