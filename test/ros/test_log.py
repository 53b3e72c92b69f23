# SPDX-License-Identifier: Apache-2.0
"""What the package logs and reports gets out, and cannot end whoever says it."""

import logging

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from spun_node import SpunNode

from vizion3d_ros.contracts.settings.node_settings import DiagnosticUpdaterSettings
from vizion3d_ros.ros.health.diagnostics import Diagnostics
from vizion3d_ros.ros.log import MOST_ALIKE, RosLogHandler

pytestmark = pytest.mark.ros


NAME = b'/home/j\xfcrgen'.decode(errors='surrogateescape')


@pytest.fixture
def listener(context):
    """A node of the test that reports and hears what it says itself."""
    listener = SpunNode(context, 'listener')
    yield listener
    listener.close()


def record(text):
    return logging.LogRecord('vizion3d_ros', logging.ERROR, __file__, 1, text, (), None)


def test_a_name_that_is_no_utf_8_is_logged_all_the_same(make_node, capfd):
    RosLogHandler(make_node().get_logger()).emit(record(f'{NAME} is no file'))
    assert '/home/j?rgen is no file' in capfd.readouterr().err


def test_a_name_that_is_no_utf_8_is_reported_all_the_same(listener):
    reports = []
    listener.node.create_subscription(DiagnosticArray, '/diagnostics', reports.append, 10)
    diagnostics = Diagnostics(listener.node, DiagnosticUpdaterSettings)
    tasks = {'backend': (DiagnosticStatus.OK, f'{NAME} is no file', {'checkpoint': NAME})}
    listener.wait_for(lambda: reports, every=lambda: diagnostics.publish(tasks, 'none'))
    [status] = reports[0].status
    assert (status.message, status.values[0].value) == ('/home/j?rgen is no file', '/home/j?rgen')


def test_what_changes_with_every_image_does_not_fill_the_log(make_node, capfd):
    handler = RosLogHandler(make_node().get_logger())
    for number in range(100):
        handler.emit(record(f'calibrated: fx {number} px'))
    handler.emit(record('something else'))
    lines = capfd.readouterr().err.splitlines()
    assert len([line for line in lines if 'calibrated' in line]) == MOST_ALIKE
    assert 'something else' in lines[-1]
