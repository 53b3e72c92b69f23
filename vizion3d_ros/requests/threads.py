# SPDX-License-Identifier: Apache-2.0
"""How many threads torch may take for what surrounds a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """
    Let torch compute in this thread alone; networks take all cores by themselves.

    A map is done in a millisecond. Sharing it saves little, and on a machine with other work,
    where the threads of torch wait for each other, it takes ten times as long.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
