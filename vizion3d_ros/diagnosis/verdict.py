# SPDX-License-Identifier: Apache-2.0
"""What is told of the pictures: a fault once it was seen twice in a row, its end at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

NOTHING: Mapping[str, object] = MappingProxyType({})


class Verdict:
    """May be read from any thread."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.text = ''
        self.values: Mapping[str, object] = NOTHING
        self.suspected = False

    def update(self, faults: Iterable[str]) -> None:
        """Take in the faults of one more examination, a sentence each."""
        found = '; '.join(text for text in faults if text)
        self.text = found if self.suspected else ''
        self.suspected = bool(found)
