# SPDX-License-Identifier: Apache-2.0
"""A line that moves while something is built, read off what the command itself prints."""

from __future__ import annotations

import re
import sys
import time

QUIET_S = 10.0  # where lines cannot be rewritten, in a log, one as often as this


class Line:
    """One step's line: rewritten in place on a terminal, written anew now and then elsewhere."""

    def __init__(self, title, out=None):
        self.title = title
        self._out = out or sys.stdout
        self._start = self._last = time.monotonic()
        self._rewrites = self._out.isatty()
        if self._rewrites:
            self._write(f'{title} ...')

    def show(self, stage):
        """Say how far it is, in a few words."""
        now = time.monotonic()
        if self._rewrites or now - self._last >= QUIET_S:
            self._last = now
            self._write(f'{self.title} ... {now - self._start:.0f} s {stage}')

    def done(self):
        """Close the line with the time that it took."""
        self._write(f'{self.title} ... {time.monotonic() - self._start:.0f} s', end='\n')

    def _write(self, text, end=''):
        # \r and "erase to the end of the line"; a log gets whole lines
        before, after = ('\r', f'\x1b[K{end}') if self._rewrites else ('', '\n')
        self._out.write(f'{before}{text.rstrip()}{after}')
        self._out.flush()


def pip_stage(site):
    """Return a function that reads pip's output; `site` is where the packages come to lie."""
    before = len(list(site.glob('*.dist-info')))

    def stage(output):
        planned = re.search(r'^Installing collected packages: (.*)$', output, re.MULTILINE)
        if planned:
            total = planned[1].count(',') + 1
            installed = len(list(site.glob('*.dist-info'))) - before
            return f'installing package {min(max(installed, 0) + 1, total)} of {total}'
        found = len(re.findall(r'^Collecting ', output, re.MULTILINE))
        return f'{found} packages found, {_downloaded_mb(output):.0f} MB downloaded'

    return stage


def _downloaded_mb(output):
    """Add up pip's raw progress: every file ends with as many bytes as it has."""
    steps = [(int(a), int(b)) for a, b in re.findall(r'^Progress (\d+) of (\d+)', output, re.M)]
    whole = sum(size for done, size in steps if done == size)
    unfinished = steps[-1][0] if steps and steps[-1][0] != steps[-1][1] else 0
    return (whole + unfinished) / 1e6


def apt_stage(output):
    """Read the output of apt-get."""
    planned = re.search(r'(\d+) newly installed', output)
    if not planned:
        return 'reading the lists of packages'
    got = len(re.findall(r'^Get:\d+', output[planned.end() :], re.MULTILINE))
    return f'{got} of {planned[1]} packages'


def cmake_stage(output):
    """Read the output of a build."""
    shares = re.findall(r'^\[ *(\d+)%\]', output, re.MULTILINE)
    return f'{shares[-1]} %' if shares else ''
