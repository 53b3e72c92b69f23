# SPDX-License-Identifier: Apache-2.0
"""A server in a process of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0


def wait_for(condition):
    """Wait until condition() is true."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class Served:
    """Started at once; its log is read until it listens, and kept."""

    def __init__(self, script, flags, **pipes):
        command = [sys.executable, *script, '--port', '0', '--device', 'cpu', *flags]
        environment = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(ROOT), *sys.path])}
        self.process = subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, text=True, bufsize=1, **pipes
        )
        self.lines = []
        self._listens = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._listens.wait(PATIENCE_S), self.lines
        said = next(line for line in self.lines if line.startswith('listening on '))
        self.port = int(said.split(',')[0].rpartition(':')[2])

    def resident_mb(self):
        """Memory of the process."""
        pages = Path(f'/proc/{self.process.pid}/statm').read_text().split()[1]
        return int(pages) * os.sysconf('SC_PAGE_SIZE') / 2**20

    def terminate(self):
        """Ask it to end; one that has ended is let alone."""
        self.process.send_signal(signal.SIGTERM)

    def close(self):
        """End it, and give the exit code."""
        self.terminate()
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            if line.startswith('listening on '):
                self._listens.set()
        self._listens.set()
