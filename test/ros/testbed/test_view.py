# SPDX-License-Identifier: Apache-2.0
"""What `view` shows of running nodes, in a file and in a browser."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import cv2
import pytest
from harness import REPOSITORY

pytestmark = pytest.mark.ros
DEADLINE_S = 120.0
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
    picture = tmp_path / 'view.png'
    address = 'http://127.0.0.1:19090/?url=rerun%2Bhttp%3A%2F%2F127.0.0.1%3A19876%2Fproxy'

    def colourful():
        command = [chromium, '--headless=new', '--no-sandbox', '--use-angle=swiftshader']
        command += ['--enable-unsafe-swiftshader', '--ignore-gpu-blocklist']
        command += ['--window-size=1400,900', f'--user-data-dir={tmp_path / "profile"}']
        command += ['--virtual-time-budget=60000', f'--screenshot={picture}', address]
        subprocess.run(command, capture_output=True, timeout=DEADLINE_S)
        pixels = cv2.imread(str(picture))
        if pixels is None:
            return False
        saturation = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)[..., 1]
        return (saturation > 60).mean() > 0.1  # the scene, not the grey of the viewer

    wait_until(colourful, view)
