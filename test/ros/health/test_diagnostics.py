# SPDX-License-Identifier: Apache-2.0
"""Reports on /diagnostics: when the next one is due, and letters that ROS cannot send."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from spun_node import SpunNode

from vizion3d_ros.contracts.settings.node_settings import DiagnosticUpdaterSettings
from vizion3d_ros.ros.health.diagnostics import Diagnostics

pytestmark = pytest.mark.ros


@pytest.fixture
def listener(context):
    """A node of the test that reports and hears what it says itself."""
    listener = SpunNode(context, 'listener')
    yield listener
    listener.close()


def test_a_name_that_is_no_utf_8_is_reported_all_the_same(listener):
    reports = []
    listener.node.create_subscription(DiagnosticArray, '/diagnostics', reports.append, 10)
    diagnostics = Diagnostics(listener.node, DiagnosticUpdaterSettings)
    name = b'/home/j\xfcrgen'.decode(errors='surrogateescape')
    tasks = {'backend': (DiagnosticStatus.OK, f'{name} is no file', {'checkpoint': name})}
    listener.wait_for(lambda: reports, every=lambda: diagnostics.publish(tasks, 'none'))
    [status] = reports[0].status
    assert (status.message, status.values[0].value) == ('/home/j?rgen is no file', '/home/j?rgen')
