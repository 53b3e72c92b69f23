# SPDX-License-Identifier: Apache-2.0
"""How far a download is: a bar on a terminal, lines in the log elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOG_EVERY_S = 10.0

log = logging.getLogger(__name__)


def in_words(size: float) -> str:
    """A number of bytes for a person: 512 B, 12.3 kB, 723 MB, 1.6 GB."""
    for unit in ('B', 'kB', 'MB'):
        if size < 999.5:
            return f'{size:.3g} {unit}'
        size /= 1000
    return f'{size:.1f} GB'


@contextmanager
def progress(name: str, there: int, total: int | None) -> Iterator[Callable[[int], None]]:
    """Report on one transfer; what is yielded wants to know of every number of new bytes."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(desc=name, initial=there, total=total, unit='B', unit_scale=True) as bar:
            yield bar.update
    else:
        yield _LogLines(name, there, total).update


class _LogLines:
    """One line each LOG_EVERY_S."""

    def __init__(self, name: str, there: int, total: int | None) -> None:
        self._name, self._there, self._total = name, there, total
        self._next = time.monotonic() + LOG_EVERY_S

    def update(self, new: int) -> None:
        self._there += new
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOG_EVERY_S
        whole = f' of {in_words(self._total)}' if self._total else ''
        log.info('%s: %s%s', self._name, in_words(self._there), whole)
