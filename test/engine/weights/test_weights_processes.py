# SPDX-License-Identifier: Apache-2.0
"""Several processes at one cache, one of them killed; disks and terminals that are real."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DEADLINE_S = 20.0
RESOLVE = (
    'import logging, sys; from vizion3d_ros.engine.weights import resolve\n'
    'logging.basicConfig(level=logging.INFO)\n'
    'print(resolve(sys.argv[1]).path)'
)
LIMITED = f'import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n{RESOLVE}'


@pytest.fixture
def start():
    """Return a function that starts a process that resolves an address."""
    running = []

    def start_process(url, code=RESOLVE, **streams):
        streams = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, **streams}
        command = [sys.executable, '-c', code, url]
        running.append(subprocess.Popen(command, cwd=ROOT, text=True, **streams))
        return running[-1]

    yield start_process
    for process in running:
        process.kill()
        process.communicate()


def wait_until(condition):
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, 'waited in vain'
        time.sleep(0.01)


def wait_for_line(process, words):
    """Read stderr until a line has these words; the rest stays to be read."""
    end = time.monotonic() + DEADLINE_S
    while True:
        ready, _, _ = select.select([process.stderr], [], [], end - time.monotonic())
        assert ready, f'no line with {words!r}'
        line = process.stderr.readline()
        assert line, f'ended without {words!r}'
        if words in line:
            return


def test_two_processes_started_together_download_once(server, cache, start):
    server.stall_at = 1000
    processes = [start(server.url()) for _ in range(2)]
    assert server.stalled.wait(DEADLINE_S)
    waiting = select_waiting(processes)
    server.gate.set()
    for process in processes:
        output, errors = process.communicate(timeout=DEADLINE_S)
        assert (process.returncode, output.strip()) == (0, str(cache / 'model.pth')), errors
    assert waiting in processes
    assert len(server.asked) == 1
    assert (cache / 'model.pth').read_bytes() == server.content


def select_waiting(processes):
    """Return the process that says first that it waits for the other."""
    end = time.monotonic() + DEADLINE_S
    streams = {process.stderr: process for process in processes}
    while True:
        ready, _, _ = select.select(list(streams), [], [], end - time.monotonic())
        assert ready, 'nobody waits'
        for stream in ready:
            if 'waiting for it' in stream.readline():
                return streams[stream]


def test_two_addresses_of_one_file_name_never_share_a_file(server, cache, start):
    server.stall_at = 1000
    processes = [start(server.url(f'{folder}/model.pth')) for folder in ('one', 'two')]
    select_waiting(processes)
    server.gate.set()
    paths = {process.communicate(timeout=DEADLINE_S)[0] for process in processes}
    assert len(paths) == len(server.asked) == 2


def test_killed_downloader_leaves_a_part_that_the_next_one_finishes(server, cache, start):
    server.stall_at = 1000
    part = cache / 'model.pth.part'
    first = start(server.url())
    assert server.stalled.wait(DEADLINE_S)
    wait_until(lambda: part.exists() and part.stat().st_size == 1000)
    second = start(server.url())
    wait_for_line(second, 'waiting for it')
    first.send_signal(signal.SIGKILL)
    output, errors = second.communicate(timeout=DEADLINE_S)
    assert second.returncode == 0, errors
    assert Path(output.strip()).read_bytes() == server.content
    assert [asked.get('Range') for asked in server.asked] == [None, 'bytes=1000-']


def test_file_that_cannot_grow_is_a_named_error(server, cache, start):
    process = start(server.url(), code=LIMITED)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    last = errors.strip().splitlines()[-1]
    assert 'DownloadError' in last
    assert f'cannot be stored as {cache}/model.pth: File too large; make room' in last
    assert len(server.asked) == 1
    assert (cache / 'model.pth.part').stat().st_size == 1500


@pytest.fixture
def small_cache(small_disk, monkeypatch):
    """Make the cache a file system that is too small for the model."""
    monkeypatch.setenv('VIZION3D_MODEL_CACHE', str(small_disk))
    return small_disk


@pytest.mark.parametrize(
    ('tells_size', 'words'), [(True, 'needs 50 kB more in'), (False, 'No space left on device')]
)
def test_full_disk_is_a_named_error(server, small_cache, start, tells_size, words):
    server.content, server.tells_size = bytes(50_000), tells_size
    process = start(server.url())
    _, errors = process.communicate(timeout=DEADLINE_S)
    last = errors.strip().splitlines()[-1]
    assert 'DownloadError' in last
    assert words in last
    assert f'{small_cache}' in last
    assert 'make room' in last
    assert not (small_cache / 'model.pth').exists()


def test_disk_without_a_single_byte_left_is_a_named_error(server, small_cache, start):
    with pytest.raises(OSError, match='No space left'):
        (small_cache / 'filler').write_bytes(bytes(50_000))
    process = start(server.url())
    _, errors = process.communicate(timeout=DEADLINE_S)
    last = errors.strip().splitlines()[-1]
    assert 'DownloadError' in last
    assert 'make room' in last


def test_terminal_shows_a_bar(server, start):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('4H', 24, 80, 0, 0))
    process = start(server.url(), stderr=slave)
    os.close(slave)
    shown = b''
    while select.select([master], [], [], DEADLINE_S)[0]:
        try:
            shown += os.read(master, 4096)
        except OSError:  # the process has ended
            break
    os.close(master)
    assert process.wait(DEADLINE_S) == 0
    assert b'model.pth: 100%|' in shown
