# SPDX-License-Identifier: Apache-2.0
"""Start the processes of a run together, watch them, and never leave one behind."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SHOWN = re.compile(r'\[(WARN|WARNING|ERROR|FATAL)\]|^Traceback|^\w*Error:')
LAST_LINES = 12
GRACE_S = 2.0


class Child:
    """One process in its own group; its output goes to a log file, its warnings to the screen.

    quiet: leave the screen alone. lines: the last lines of its output. result: its last line of
    JSON. exit_code: None while it runs, negative for the signal that ended it.
    """

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        """Start the command."""
        self.name = name
        self.log = log
        self.quiet = False
        self.lines: deque[str] = deque(maxlen=LAST_LINES)
        self.result = ''
        self.exit_code: int | None = None
        self._process = subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
            start_new_session=True,
        )

    def follow(self) -> None:
        """Copy the output until the process ends, then note its exit code."""
        with self.log.open('w') as log:
            for line in self._process.stdout or ():
                log.write(line)
                log.flush()
                self._notice(line.rstrip())
        self.exit_code = self._process.wait()

    def signal(self, number: int) -> None:
        """Send a signal to the whole group, unless it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def wait_until(self, deadline: float) -> bool:
        """Whether the process ended before time.monotonic() reached the deadline."""
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _notice(self, line: str) -> None:
        self.lines.append(line)
        if line.startswith('{'):
            self.result = line
        elif SHOWN.search(line) and not self.quiet:
            print(f'  {self.name}: {line}', flush=True)


class Children:
    """Processes that live and die together; use it as a context manager."""

    def __init__(self, env: Mapping[str, str], cwd: Path, logs: Path) -> None:
        """Start nothing yet."""
        self._env, self._cwd, self._logs = env, cwd, logs
        self._children: list[Child] = []
        self._ended: queue.Queue[Child] = queue.Queue()

    def __enter__(self) -> Children:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what still runs: an interrupt first, after GRACE_S a kill."""
        impatient = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C, while we stop
        for child in self._children:
            child.quiet = True
            child.signal(signal.SIGINT)
        deadline = time.monotonic() + GRACE_S
        for child in self._children:
            child.wait_until(deadline)
            child.signal(signal.SIGKILL)
            child.wait_until(deadline + 1.0)
        signal.signal(signal.SIGINT, impatient)

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Start one more process, logging to <logs>/<name>.log."""
        child = Child(name, command, self._env, self._cwd, self._logs / f'{name}.log')
        self._children.append(child)
        threading.Thread(target=self._watch, args=(child,), daemon=True).start()
        return child

    def next_end(self, timeout_s: float) -> Child | None:
        """Wait for the next process to end, None on timeout."""
        try:
            return self._ended.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None

    def _watch(self, child: Child) -> None:
        child.follow()
        self._ended.put(child)
