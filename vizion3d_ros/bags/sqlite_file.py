# SPDX-License-Identifier: Apache-2.0
"""
One SQLite file as rosbag2 writes it, closed or not.

A recorder that was killed leaves a journal beside it. The bag is not ours to change, so a copy
is put right by SQLite itself, and read.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from vizion3d_ros.bags.mcap_file import Described, Row
from vizion3d_ros.bags.zstd import on_disk, unpack_message
from vizion3d_ros.contracts.errors import InputError

JOURNALS = '-wal', '-journal'
DEFINITIONS = 'SELECT topic_type, encoding, encoded_message_definition FROM message_definitions'
MESSAGES = """\
SELECT topics.name, messages.timestamp, messages.data FROM messages
JOIN topics ON messages.topic_id = topics.id WHERE topics.name IN ({}) ORDER BY timestamp"""


class SqliteFile:
    """Topics and messages of one file."""

    def __init__(self, path: Path, on_fault: Callable[[str], None]) -> None:
        """on_fault: told what was left out."""
        self._path = path
        self._on_fault = on_fault

    def topics(self) -> list[Described]:
        """Name, type and definition of every topic; InputError if there is no table of them."""
        try:
            with self._opened() as base:
                rows = base.execute('SELECT name, type FROM topics ORDER BY id').fetchall()
                definitions = self._definitions(base)
        except sqlite3.Error as error:
            raise InputError(f'{self._path}: expected a bag in SQLite, got: {error}') from error
        return [(name, kind, definitions.get(kind, ('', ''))) for name, kind in rows]

    def messages(self, names: Collection[str]) -> Iterator[Row]:
        """Topic, time of recording in nanoseconds and bytes, by time."""
        asked = MESSAGES.format(','.join('?' * len(names)))
        try:
            with self._opened() as base:
                for topic, time_ns, raw in base.execute(asked, [*names]):
                    try:
                        content = unpack_message(raw)
                    except Exception as error:
                        self._on_fault(f'{self._path.name}: a message of {topic}: {error}')
                        continue
                    yield topic, time_ns, content
        except sqlite3.Error as error:
            self._on_fault(f'{self._path.name}: {error}; what comes before is read')

    def _definitions(self, base: sqlite3.Connection) -> dict[str, tuple[str, str]]:
        try:
            return {kind: (form, text) for kind, form, text in base.execute(DEFINITIONS)}
        except sqlite3.OperationalError:  # no such table before Iron
            return {}

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        beside = [Path(f'{self._path}{end}') for end in JOURNALS]
        journals = [each for each in beside if each.exists() and each.stat().st_size]
        if not journals:
            # Immutable: else SQLite makes files beside a bag that is not ours.
            with on_disk(self._path, self._on_fault) as path:
                address = f'{path.absolute().as_uri()}?immutable=1'
                with closing(sqlite3.connect(address, uri=True)) as base:
                    yield base
            return
        with tempfile.TemporaryDirectory() as folder:
            for each in (self._path, *journals):
                shutil.copy(each, folder)
            with closing(sqlite3.connect(Path(folder) / self._path.name)) as base:
                yield base
