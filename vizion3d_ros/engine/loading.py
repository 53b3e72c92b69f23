# SPDX-License-Identifier: Apache-2.0
"""Which threads are loading, downloading or compiling: that may take minutes and is no fault."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_loading: set[int] = set()


@contextmanager
def loading() -> Iterator[None]:
    """What happens within is loading; it may be within itself."""
    thread = threading.get_ident()
    outermost = thread not in _loading
    _loading.add(thread)
    try:
        yield
    finally:
        if outermost:
            _loading.discard(thread)


def is_loading(thread: int | None) -> bool:
    """Whether the thread of that ident is loading something now."""
    return thread in _loading
