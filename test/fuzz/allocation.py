# SPDX-License-Identifier: Apache-2.0
"""How much memory a call takes at its worst."""

import tracemalloc
from contextlib import contextmanager


@contextmanager
def at_most(byte_count):
    """Fail if Python, NumPy and OpenCV together hold more than that at any moment inside."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= byte_count, f'{peak} bytes at the worst, declared are {byte_count}'
