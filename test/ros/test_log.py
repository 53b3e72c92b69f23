# SPDX-License-Identifier: Apache-2.0
"""What the package logs reaches the log of the node, and cannot end whoever says it."""

import logging

import pytest

from vizion3d_ros.ros.log import MOST_ALIKE, RosLogHandler

pytestmark = pytest.mark.ros


def record(text):
    return logging.LogRecord('vizion3d_ros', logging.ERROR, __file__, 1, text, (), None)


def test_a_name_that_is_no_utf_8_is_logged_all_the_same(make_node, capfd):
    name = b'/home/j\xfcrgen'.decode(errors='surrogateescape')
    RosLogHandler(make_node().get_logger()).emit(record(f'{name} is no file'))
    assert '/home/j?rgen is no file' in capfd.readouterr().err


def test_what_changes_with_every_image_does_not_fill_the_log(make_node, capfd):
    handler = RosLogHandler(make_node().get_logger())
    for number in range(100):
        handler.emit(record(f'calibrated: fx {number} px'))
    handler.emit(record('something else'))
    lines = capfd.readouterr().err.splitlines()
    assert len([line for line in lines if 'calibrated' in line]) == MOST_ALIKE
    assert 'something else' in lines[-1]
