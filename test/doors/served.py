# SPDX-License-Identifier: Apache-2.0
"""A server in a process of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from rest_client import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
PLACES = 8  # of the servers that are held
HELD = str(Path(__file__).with_name('held_server.py'))


def wait_for(condition):
    """Wait until condition() is true."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class Served:
    """Started, to be asked as soon as it listens; its log is read and kept."""

    def __init__(self, script, flags, **pipes):
        command = [sys.executable, *script, '--port', '0', '--device', 'cpu', *flags]
        environment = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(ROOT), *sys.path])}
        self.process = subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, text=True, bufsize=1, **pipes
        )
        self.lines = []
        self._let_go = 0
        self._listens = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def port(self):
        """Where it listens, once it does."""
        assert self._listens.wait(PATIENCE_S), self.lines
        said = next(line for line in self.lines if line.startswith('listening on '))
        return int(said.split(',')[0].rpartition(':')[2])

    def resident_mb(self):
        """Memory of the process."""
        pages = Path(f'/proc/{self.process.pid}/statm').read_text().split()[1]
        return int(pages) * os.sysconf('SC_PAGE_SIZE') / 2**20

    def let_go(self, times=1):
        """Let so many matches of a held server end, now or later."""
        self._let_go += times
        self.process.stdin.write('\n' * times)
        self.process.stdin.flush()

    def finish(self, *calls):
        """Let the matches of a held server end as they begin, until all calls are done."""

        def done():
            self.let_go(max(0, self.matched() - self._let_go))
            return all(call.done() for call in calls)

        wait_for(done)

    def matched(self):
        """How often the matcher of a held server was asked."""
        return self.lines.count('matching')

    def terminate(self):
        """Ask it to end."""
        self.process.send_signal(signal.SIGTERM)

    def ended(self):
        """Wait for its end, and give the exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def kill(self):
        """Whose end is not what is tested."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            if line.startswith('listening on '):
                self._listens.set()
        self._listens.set()


def one_line_of(commands):
    """Exit code and the one line that each command, by name, ends with; they run at once."""
    options = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True}
    started = {name: subprocess.Popen(command, **options) for name, command in commands.items()}
    ended = {name: each.communicate(timeout=PATIENCE_S)[1] for name, each in started.items()}
    assert {name: len(said.splitlines()) for name, said in ended.items()} == dict.fromkeys(
        ended, 1
    )
    return {name: (started[name].returncode, said.rstrip()) for name, said in ended.items()}
