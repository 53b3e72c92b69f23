# SPDX-License-Identifier: Apache-2.0
"""Commands that build .venv: their output is kept in a file, a failure becomes a sentence."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import subprocess

from environment import LOGS, ROOT, environment

TICK_S = 0.3
LAST_LINES = 8

# what pip, apt, dpkg, CMake and Python itself say of a machine, and what that means
CAUSES = (
    (
        r'ProxyError|Tunnel connection failed|407 +Proxy|via proxy|proxy.*(?:refused|resolv)',
        'The proxy does not let us through: check http_proxy, https_proxy and no_proxy.',
    ),
    (
        r'CERTIFICATE_VERIFY_FAILED|SSLError',
        "The server's certificate is not trusted: PIP_CERT may name your network's own authority.",
    ),
    (
        r'NewConnectionError|ConnectTimeout|ReadTimeoutError|NameResolutionError|Failed to fetch'
        r'|Temporary failure resolving|Could not resolve|Could not connect|Unable to connect',
        'The package server cannot be reached: no network, or a proxy or mirror is not set.',
    ),
    (
        r'No space left on device',
        'The disk is full: .venv needs about 2 GB, 6 GB with the CUDA build of torch.',
    ),
    (
        r'Read-only file system|Permission denied',
        'Something cannot be written: .venv and the folders around it must be yours.',
    ),
)


class StepError(Exception):
    """A step failed; the message is for the user."""


@contextlib.contextmanager
def locked():
    """Yield a descriptor that locks the checkout; the folder itself serves as the lock file."""
    lock = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print('Waiting for another call that builds .venv ...', flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def run(command, log, job, stage=None, **variables):
    """
    Run `command` with its output in the file `log` below .venv/log, or raise StepError.

    `stage` turns what the command has printed so far into a few words for the progress line. The
    child holds the lock too: if we are killed, the next call waits for it.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / log
    with path.open('wb') as out:
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env={**environment(), **variables},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            pass_fds=[job.lock],
        )
        with _ended(child):
            _watch(child, path, job, stage)
    _check(child.returncode, path)


@contextlib.contextmanager
def _ended(child):
    """Leave no command behind when a signal ends the wait for it."""
    try:
        yield
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()


def _watch(child, path, job, stage):
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(TICK_S)
            return
        job.line.show(stage(_read(path)) if stage else '')


def _check(code, path):
    if code < 0:
        raise StepError(f'Stopped by signal {-code}; the next call goes on from here.')
    if code:
        raise StepError(f'{explain(_read(path))}\nThe full output is in {path}.')


def _read(path):
    return path.read_text(encoding='utf-8', errors='replace')


def explain(output):
    """Return the reason for a failure and the last lines that speak of it."""
    reasons = [sentence for pattern, sentence in CAUSES if re.search(pattern, output)]
    lines = [line.strip()[:300] for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r'\berror\b|^E: ', line, re.IGNORECASE)]
    shown = [*errors[:LAST_LINES], *(line for line in lines[-LAST_LINES:] if line not in errors)]
    return '\n'.join([*reasons[:1], *shown])
