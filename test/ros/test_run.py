# SPDX-License-Identifier: Apache-2.0
"""How a node process ends: exit codes and what stands in its last lines."""

import os
import subprocess
import sys

import pytest

from vizion3d_ros.ros.run import have_a_home

pytestmark = pytest.mark.ros

NODE = """
import os, signal, sys, threading, time
import rclpy
from rclpy.node import Node
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.ros.nodes.lifecycle import ManagedNode
from vizion3d_ros.ros.run import run_node
from vizion3d_ros.worker import Worker

def busy(frame):
    started.set()
    time.sleep(60)  # stands for a matcher in native code

started = threading.Event()

def be_told_to_stop():
    os.kill(os.getpid(), signal.SIGTERM)
    while rclpy.ok():
        time.sleep(0.01)

class Managed(ManagedNode):
    activate = deactivate = release = lambda self: None

    def configure(self):
        be_told_to_stop()
        Node('more')

class Bad(Node):
    def __init__(self):
        super().__init__('bad')
        {start}

    def fail(self):
        raise RuntimeError('the timer broke')

sys.exit(run_node(Bad, 'A bad node.'))
"""
CASES = {
    'refused': ("raise InputError('no such folder')", 1, 'no such folder', False),
    'crashed': ('self.create_timer(0.01, self.fail)', 1, 'the timer broke', True),
    'crashed while busy': (
        'Worker(busy, print).put_frame(1); started.wait(); self.create_timer(0.01, self.fail)',
        1,
        'the timer broke',
        True,
    ),
    'told to stop': ('raise KeyboardInterrupt', 0, '', False),
    'told to stop while it is made': (
        "be_told_to_stop(); raise RuntimeError('error creating node')",
        0,
        '',
        False,
    ),
    'told to stop in a transition': ("Managed('managed').start(True)", 0, '', False),
}


@pytest.mark.parametrize('case', CASES)
def test_exit_code_and_last_words(case, domain, tmp_path):
    start, code, words, traceback = CASES[case]
    ended = subprocess.run(
        [sys.executable, '-c', NODE.format(start=start)],
        env={**os.environ, 'ROS_DOMAIN_ID': str(domain), 'ROS_LOG_DIR': str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    assert words in ended.stderr
    assert ('Traceback' in ended.stderr) == traceback, ended.stderr
    if not code:
        assert '[ERROR]' not in ended.stderr and '[FATAL]' not in ended.stderr, ended.stderr


@pytest.mark.parametrize('home', ['/dev/null', '/nowhere/at/all'])
def test_the_log_goes_elsewhere_where_home_is_no_folder(monkeypatch, home):
    for name in ('ROS_LOG_DIR', 'ROS_HOME'):
        monkeypatch.setenv(name, '')  # so that what is set now is forgotten afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv('HOME', home)
    have_a_home()
    assert os.path.isdir(os.path.dirname(os.environ['ROS_LOG_DIR']))


def test_an_empty_home_is_none(monkeypatch):
    monkeypatch.setenv('HOME', '')
    monkeypatch.delenv('ROS_LOG_DIR', raising=False)
    have_a_home()
    assert os.path.isabs(os.environ['HOME'])
