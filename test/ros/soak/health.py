# SPDX-License-Identifier: Apache-2.0
"""What a process holds: memory, threads, descriptors."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Held:
    """What a process holds now; memory is what is its own, without files and shared memory."""

    memory_mb: float
    threads: int
    descriptors: int


def held_by(pid):
    fields = {}
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        name, _, value = line.partition(':')
        fields[name] = value.split()
    descriptors = len(list(Path(f'/proc/{pid}/fd').iterdir()))
    return Held(int(fields['RssAnon'][0]) / 1024, int(fields['Threads'][0]), descriptors)
