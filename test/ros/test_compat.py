# SPDX-License-Identifier: Apache-2.0
"""Older distributions: the names that moved are found where they were."""

import importlib
import sys
from types import ModuleType

import pytest

pytest.importorskip('rclpy', reason='needs ROS 2')

from vizion3d_ros.ros import compat


def test_event_callbacks_come_from_the_older_module_where_the_new_one_is_missing(monkeypatch):
    older = ModuleType('rclpy.qos_event')
    for name in compat.__all__:
        setattr(older, name, type(name, (), {}))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, 'rclpy.event_handler', None)  # as if it were not there
        patch.setitem(sys.modules, 'rclpy.qos_event', older)
        importlib.reload(compat)
        assert all(getattr(compat, name) is getattr(older, name) for name in compat.__all__)
    importlib.reload(compat)
    assert compat.PublisherEventCallbacks.__module__ == 'rclpy.event_handler'
