# SPDX-License-Identifier: Apache-2.0
"""When a report goes out: once in a period, and as soon as a level changes."""

import time
from types import SimpleNamespace

import pytest
from builtin_interfaces.msg import Time

from vizion3d_ros.contracts.settings.node_settings import DiagnosticUpdaterSettings
from vizion3d_ros.ros.health.diagnostics import OK, WARN, Diagnostics

pytestmark = pytest.mark.ros


@pytest.fixture
def reports(monkeypatch):
    """What is published by polls every half second: reports(levels) gives the levels sent."""
    now, sent = [100.0], []
    monkeypatch.setattr(time, 'monotonic', lambda: now[0])
    stamp = SimpleNamespace(to_msg=Time)
    node = SimpleNamespace(
        create_publisher=lambda *_: SimpleNamespace(publish=sent.append),
        get_name=lambda: 'node',
        get_clock=lambda: SimpleNamespace(now=lambda: stamp),
    )
    diagnostics = Diagnostics(node, lambda: DiagnosticUpdaterSettings(period=2.0))

    def poll(levels):
        for level in levels:
            diagnostics.publish({'sync': (level, f'{now[0]}', {})}, 'camera')
            now[0] += 0.5
        return [message.status[0].level for message in sent]

    return poll


def test_what_stays_as_it_is_goes_out_once_in_a_period(reports):
    assert reports([OK] * 9) == [OK] * 3


def test_a_fault_and_its_end_go_out_at_once(reports):
    assert reports([OK, WARN, WARN, OK, OK, OK]) == [OK, WARN, OK, OK]
