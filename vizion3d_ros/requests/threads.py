# SPDX-License-Identifier: Apache-2.0
"""How many threads torch may take for what surrounds a network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

# The number is the process's, although each thread has its own: what the first of several callers
# found is what each of them leaves behind.
_lock = threading.Lock()
_users: list[int] = []
_before: list[int] = []


@contextmanager
def one_thread() -> Iterator[None]:
    """
    Let torch compute in this thread alone; networks take all cores by themselves.

    A map is done in a millisecond. Sharing it saves little, and on a machine with other work,
    where the threads of torch wait for each other, it takes ten times as long.
    """
    with _lock:
        if not _users:
            _before.append(torch.get_num_threads())
        _users.append(threading.get_ident())
        before = _before[-1]
    torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _users.remove(threading.get_ident())
            if not _users:
                _before.clear()
            torch.set_num_threads(before)
