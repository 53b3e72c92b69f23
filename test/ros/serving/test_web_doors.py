# SPDX-License-Identifier: Apache-2.0
"""Doors of a node that end by themselves, or whose address another one has by now."""

import threading
import time

import pytest

from vizion3d_ros.contracts.errors import DepthError
from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
from vizion3d_ros.doors.arguments import FEATURES, REST
from vizion3d_ros.doors.depth_worker import DepthWorker
from vizion3d_ros.doors.door import bound, open_door
from vizion3d_ros.ros.health.diagnostics import OK
from vizion3d_ros.ros.serving import web

pytestmark = pytest.mark.ros

HOST = '127.0.0.1'


@pytest.fixture
def worker():
    """That of a server that has nothing loaded."""
    settings = ServiceSettings(device='cpu')
    worker = DepthWorker(lambda: settings)
    yield worker
    assert worker.close(5.0)


class Door:
    """Serves until it is told to stop, or fails with a sentence."""

    address = 'http://somewhere'

    def __init__(self, fault):
        self.fault = fault
        self.told = threading.Event()
        self.stop = self.told.set

    def serve(self):
        if self.fault:
            raise DepthError(self.fault)
        self.told.wait()


def test_two_that_take_one_address_are_told_when_the_second_begins_to_listen(worker):
    with bound(HOST, 0) as first:
        port = first.getsockname()[1]
        door = open_door(REST, worker, FEATURES, HOST, port)
        first.listen()
        with pytest.raises(DepthError, match=f'cannot listen on {HOST}:{port}: .*choose another'):
            door.serve()


def test_a_door_that_ends_by_itself_is_told_and_opened_again(worker, monkeypatch, package_log):
    monkeypatch.setattr(web, 'AGAIN_S', 0.0)
    faults = ['the address is taken', '']
    monkeypatch.setattr(web, 'open_door', lambda *_: Door(faults.pop(0)))
    doors = web.WebDoors(worker, ServiceSettings(device='cpu', rest={'port': 8000}))
    deadline = time.monotonic() + 5.0
    while not package_log.records:
        assert time.monotonic() < deadline
        doors.open()
    assert [r.getMessage() for r in package_log.records] == ['rest.port: the address is taken']
    assert doors.task() == (OK, '', {'rest': Door.address})
    doors.close(5.0)
