# SPDX-License-Identifier: Apache-2.0
"""When a network that could not be loaded is tried again."""

import time
from types import SimpleNamespace

import pytest

from vizion3d_ros.contracts.errors import DownloadError
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.ros.health.backend_loader import BackendLoader

pytestmark = pytest.mark.ros

WORKER = SimpleNamespace(load=lambda job: job(), clear=lambda: None)


@pytest.mark.parametrize(
    ('error', 'took', 'pause'),
    [
        (FileNotFoundError('not yet'), 0.01, 1.0),
        (FileNotFoundError('not yet'), 1.0, 4.0),
        (FileNotFoundError('not yet'), 15.0, 10.0),
        (DownloadError('refused'), 0.01, 10.0),
    ],
)
def test_a_file_that_turns_up_is_found_soon_and_servers_are_asked_rarely(
    error, took, pause, monkeypatch
):
    now, tries = 1000.0, []
    monkeypatch.setattr(time, 'monotonic', lambda: now)

    def load(settings):
        nonlocal now
        now += took
        tries.append(now)
        if len(tries) < 2:
            raise error

    loader = BackendLoader(WORKER, load, lambda _: None)
    settings = MonoSettings()
    loader.follow(settings)
    now += pause
    loader.attend(settings, lambda *_: None)
    assert len(tries) == 1 and not loader.is_ready
    now += 0.01
    loader.attend(settings, lambda *_: None)
    assert loader.is_ready
