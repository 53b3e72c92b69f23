# SPDX-License-Identifier: Apache-2.0
"""What `view` shows of running nodes, in a file and in a browser."""

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import cv2
import numpy as np
import pytest
from harness import REPOSITORY
from headless_browser import HeadlessBrowser

pytestmark = pytest.mark.ros
DEADLINE_S = 120.0
# Left upper corners of what lies within each coloured panel, in parts of the window.
PANELS = {'points': (0.2, 0.2), 'image': (0.75, 0.1), 'depth': (0.75, 0.42)}
needs_rerun = pytest.mark.skipif(
    not importlib.util.find_spec('rerun'), reason='needs the package rerun-sdk'
)


@pytest.fixture
def start(domain, tmp_path):
    """Call it to start a module of vizion3d_ros.ros; all are ended after the test."""
    started = []

    def start_module(name, *arguments, **variables):
        env = {**os.environ, 'ROS_DOMAIN_ID': str(domain), 'ROS_LOG_DIR': str(tmp_path)}
        path = os.pathsep.join([str(REPOSITORY), os.environ.get('PYTHONPATH', '')])
        started.append(
            subprocess.Popen(
                [sys.executable, '-m', f'vizion3d_ros.ros.{name}', *arguments],
                env={**env, 'PYTHONPATH': path, **variables},
                cwd=tmp_path,
                text=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        )
        return started[-1]

    yield start_module
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def scene(start):
    """A synthetic rig and the stereo node."""
    start('testbed.synthetic_rig', '--ros-args', '-p', 'rate:=2.0')
    start('nodes.stereo_node', '--ros-args', '-p', 'min_depth:=0.8')


def wait_until(condition, process):
    """Look whenever a moment has gone by in which the process has not ended."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            pytest.fail(process.communicate()[1])


def test_without_rerun_one_sentence_says_so(start, tmp_path):
    (tmp_path / 'rerun.py').write_text("raise ImportError('not installed')\n")
    path = os.pathsep.join([str(tmp_path), str(REPOSITORY)])
    view = start('testbed.view', '--save', 'view.rrd', PYTHONPATH=path)
    err = view.communicate(timeout=60)[1]
    assert view.returncode == 1
    assert 'pip install rerun-sdk' in err and 'Traceback' not in err


def test_without_a_display_one_sentence_says_what_else_there_is(start):
    view = start('testbed.view', DISPLAY='', WAYLAND_DISPLAY='', WAYLAND_SOCKET='')
    err = view.communicate(timeout=60)[1]
    assert view.returncode == 1
    assert 'there is no display: give --web' in err and 'Traceback' not in err


@needs_rerun
def test_a_file_has_all_that_is_shown(scene, start, tmp_path):
    view = start('testbed.view', '--save', 'view.rrd')
    file = tmp_path / 'view.rrd'
    shown = [b'/camera/image', b'/camera/depth', b'/confidence', b'/cloud', b'/diagnostics']
    wait_until(lambda: file.exists() and all(n in file.read_bytes() for n in shown), view)
    view.send_signal(signal.SIGINT)
    assert 'Traceback' not in view.communicate(timeout=30)[1]
    assert view.returncode == 0


@needs_rerun
@pytest.mark.slow
def test_a_browser_shows_it(scene, start, tmp_path):
    chromium = shutil.which('chromium')
    if chromium is None:
        pytest.skip('needs chromium')
    view = start('testbed.view', '--web', '--web-port', '19090', '--grpc-port', '19876')
    address = re.search(r'open (http\S+) in a browser', view.stderr.readline())[1]
    browser = HeadlessBrowser(chromium, tmp_path / 'profile', address)

    def shown():
        png = np.frombuffer(browser.screenshot(), np.uint8)
        saturation = cv2.cvtColor(cv2.imdecode(png, cv2.IMREAD_COLOR), cv2.COLOR_BGR2HSV)[..., 1]
        height, width = saturation.shape
        corners = [(round(x * width), round(y * height)) for x, y in PANELS.values()]
        parts = [saturation[y : y + height // 5, x : x + width // 8] for x, y in corners]
        # The scene, not the grey of the viewer nor of its start page.
        return all((part > 60).mean() > 0.2 for part in parts)

    try:
        wait_until(shown, view)
    finally:
        browser.close()


@needs_rerun
def test_a_port_that_is_taken_is_named(start):
    with socket.create_server(('', 0)) as taken:
        port = str(taken.getsockname()[1])
        view = start('testbed.view', '--web', '--grpc-port', port)
        err = view.communicate(timeout=60)[1]
    assert view.returncode == 1
    assert f'cannot serve at port {port}' in err and 'give another one' in err
    assert 'Traceback' not in err


@needs_rerun
def test_a_file_that_cannot_be_made_is_named(start, tmp_path):
    view = start('testbed.view', '--save', str(tmp_path / 'nowhere' / 'view.rrd'))
    err = view.communicate(timeout=60)[1]
    assert view.returncode == 1
    assert 'view cannot open' in err and 'nowhere/view.rrd' in err and 'Traceback' not in err
