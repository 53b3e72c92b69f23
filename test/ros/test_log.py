# SPDX-License-Identifier: Apache-2.0
"""What the package logs reaches the log of the node, and cannot end whoever says it."""

import logging

import pytest

from vizion3d_ros.ros.log import RosLogHandler

pytestmark = pytest.mark.ros


def record(text):
    return logging.LogRecord('vizion3d_ros', logging.ERROR, __file__, 1, text, (), None)


def test_a_name_that_is_no_utf_8_is_logged_all_the_same(make_node, capfd):
    name = b'/home/j\xfcrgen'.decode(errors='surrogateescape')
    RosLogHandler(make_node().get_logger()).emit(record(f'{name} is no file'))
    assert '/home/j?rgen is no file' in capfd.readouterr().err
