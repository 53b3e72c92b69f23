# SPDX-License-Identifier: Apache-2.0
"""A node as a real process, and what the tests of nodes share."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from scene import textured_pair

REPOSITORY = Path(__file__).resolve().parents[2]
STEREO_NODE = ('-m', 'vizion3d_ros.ros.nodes.stereo_node')
EXIT_SECONDS = 3.0
LISTENS = '0A'  # in /proc/net/tcp
SCENE = dict(zip(('left', 'right'), textured_pair()))


def free_domain():
    """A ROS domain nobody on this machine uses: its first discovery ports are free."""
    for domain in random.SystemRandom().sample(range(1, 101), 100):
        # A node that outlived the others of its domain is not its first participant.
        if all(is_free(7400 + 250 * domain + 10 + 2 * number) for number in range(10)):
            return domain
    pytest.fail('all ROS domains from 1 to 100 are in use')


def is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', port))
        except OSError:
            return False
    return True


def values_of(status):
    """The values of a diagnostic status, numbers as numbers."""
    pairs = ((item.key, item.value) for item in status.values)
    return {k: float(v) if v.replace('.', '', 1).isdigit() else v for k, v in pairs}


class NodeProcess:
    """A node in a process group of its own, its output in a file."""

    def __init__(
        self, domain, folder, namespace='', parameters=None, arguments=(), program=STEREO_NODE
    ):
        """program: what Python is to run, a file or -m and a module."""
        self.program = program
        self._log = folder / f'node{namespace.replace("/", "_")}_{time.monotonic_ns()}.log'
        command = [sys.executable, *program]
        command += ['--ros-args', '-r', f'__ns:={namespace or "/"}']
        # Several alike share /diagnostics, and report by name.
        names = {'diagnostic_updater.use_fqn': 'true'} if namespace else {}
        for name, value in {**names, **(parameters or {})}.items():
            command += ['-p', f'{name}:={value}']
        environment = {
            **os.environ,
            'ROS_DOMAIN_ID': str(domain),
            'ROS_LOG_DIR': str(folder),
            'PYTHONUNBUFFERED': '1',
            'PYTHONPATH': os.pathsep.join([str(REPOSITORY), os.environ.get('PYTHONPATH', '')]),
        }
        with self._log.open('wb') as log:
            self._process = subprocess.Popen(
                [*command, *arguments],
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self):
        """Everything it wrote so far."""
        return self._log.read_text(errors='replace')

    @property
    def log_file(self):
        """What ROS has kept of its lines, once it has ended."""
        [file] = self._log.parent.glob(f'*_{self.pid}_*.log')
        return file.read_text(errors='replace')

    @property
    def pid(self):
        return self._process.pid

    @property
    def alive(self):
        return self._process.poll() is None

    def listening(self):
        """The TCP ports at which it listens, on whatever address."""
        links = [fd.readlink().name for fd in Path(f'/proc/{self.pid}/fd').iterdir()]
        sockets = {link.removeprefix('socket:[').rstrip(']') for link in links}
        tables = [Path(f'/proc/{self.pid}/net/{name}') for name in ('tcp', 'tcp6')]
        rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
        return {
            int(row[1].rpartition(':')[2], 16)
            for row in rows
            if row[3] == LISTENS and row[9] in sockets
        }

    def lines(self, *words):
        """Lines of the output in which all the words occur."""
        return [line for line in self.output.splitlines() if all(w in line for w in words)]

    def wait_for_line(self, *words, timeout=20.0):
        """The first such line, as soon as it is there."""
        deadline = time.monotonic() + timeout
        while not (found := self.lines(*words)):
            if time.monotonic() > deadline or not self.alive:
                pytest.fail(f'no line with {words} within {timeout} s:\n{self.output}')
            time.sleep(0.02)
        return found[0]

    def wait_for_exit(self, timeout, meanwhile=lambda: time.sleep(0.01)):
        """Its exit code."""
        deadline = time.monotonic() + timeout
        while self.alive:
            if time.monotonic() > deadline:
                pytest.fail(f'still running after {timeout} s:\n{self.output}')
            meanwhile()
        return self._process.returncode

    def signal(self, number):
        """Send that signal."""
        self._process.send_signal(number)

    def end(self, number, **options):
        """Send that signal, and check that the node obeys in time and without a fuss."""
        self.signal(number)
        assert self.wait_for_exit(EXIT_SECONDS, **options) == 0, self.output
        for fuss in ('Traceback', '[ERROR]', '[FATAL]', 'terminate called'):
            assert fuss not in self.output, self.output

    def kill(self):
        """End it and whatever it started."""
        if self.alive:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
