# SPDX-License-Identifier: Apache-2.0
"""
The bag that is written: files one after the other, each whole before the next is begun.

What is done is noted in progress.json, until metadata.yaml makes a bag of it. A run that was
killed has lost the file it was at, no more.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from vizion3d_ros.bags.depth import Computed
from vizion3d_ros.bags.library import typestore
from vizion3d_ros.bags.outgoing import OUTPUTS
from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.result_folder import unwritable, write_whole

METADATA, PROGRESS, UNFINISHED = 'metadata.yaml', 'progress.json', 'unfinished'
INFORMATION = 'rosbag2_bagfile_information'
ASKED = 'vizion3d_depth'  # in custom_data
ENDINGS = {'mcap': '.mcap', 'sqlite3': '.db3'}


@dataclass
class Progress:
    """asked: what it is made with; pairs: done, failed ones too; parts: metadata of each file."""

    asked: dict[str, Any]
    pairs: int = 0
    faults: list[str] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)


class BagInParts:
    """A rosbag2 folder that grows by files of about `part_bytes`."""

    def __init__(
        self, folder: Path, storage: str, namespace: str, part_bytes: int, asked: dict[str, Any]
    ) -> None:
        """Go on where a run with the same `asked` stopped; InputError if other files are there."""
        self._folder = folder
        self._storage = storage
        self._namespace = namespace
        self._part_bytes = part_bytes
        self._written = 0
        self._part_pairs = 0
        self._writer: Any = None
        self._connections: dict[str, Any] = {}
        self._store = typestore()
        self.progress = self._begin(asked)

    @property
    def is_finished(self) -> bool:
        """Whether the bag is whole."""
        return (self._folder / METADATA).exists()

    def add(self, computed: Computed) -> None:
        """Write what there is of a pair."""
        self._part_pairs += 1
        if computed.fault:
            self.progress.faults.append(computed.fault)
        with self._explained():
            for topic, raw in computed.messages.items():
                if self._writer is None:
                    self._open()
                self._writer.write(self._connection(topic), computed.time_ns, raw)
                self._written += len(raw)
            if self._written >= self._part_bytes:
                self._close()

    def finish(self) -> None:
        """Make the bag whole; with no message at all there is none."""
        with self._explained():
            self._close()
        if not self.progress.parts:
            raise InputError(f'{self._folder}: nothing to write: no pair gave depth')
        information = _joined(self.progress.parts)
        information['custom_data'] = {ASKED: json.dumps(self.progress.asked, sort_keys=True)}
        metadata = yaml.safe_dump({INFORMATION: information})
        with self._explained():
            write_whole(self._folder / METADATA, metadata.encode())
            (self._folder / PROGRESS).unlink()

    def abandon(self) -> None:
        """Drop the file that is being written."""
        if self._writer is not None:
            self._writer.abort()
            self._writer = None
        shutil.rmtree(self._folder / UNFINISHED, ignore_errors=True)

    def _begin(self, asked: dict[str, Any]) -> Progress:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self._folder / UNFINISHED, ignore_errors=True)
            content = sorted(self._folder.iterdir())
        except OSError as error:
            raise unwritable(self._folder, error) from error
        if not content:
            return Progress(asked)
        found = self._made_with(content)
        if found.asked != asked:
            raise InputError(
                f'{self._folder}: holds depth of another bag or made with other options; name '
                'another folder, or give --force to replace it'
            )
        return found

    def _made_with(self, content: list[Path]) -> Progress:
        try:
            if (self._folder / METADATA).exists():
                information = yaml.safe_load((self._folder / METADATA).read_text())[INFORMATION]
                return Progress(json.loads(information['custom_data'][ASKED]))
            return Progress(**json.loads((self._folder / PROGRESS).read_text()))
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
            raise InputError(
                f'{self._folder}: expected an empty folder or one that was begun by this command, '
                f'got {content[0].name}; name another one, or give --force'
            ) from error

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Whatever the place refuses, by what it says; what is whole there stays."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            cure = 'make room or name another place; the same call goes on where it stopped'
            raise unwritable(self._folder, error, cure) from error

    def _open(self) -> None:
        from rosbags.rosbag2 import StoragePlugin, Writer

        plugin = StoragePlugin[self._storage.upper()]
        self._writer = Writer(self._folder / UNFINISHED, version=9, storage_plugin=plugin)
        self._writer.open()

    def _connection(self, topic: str) -> Any:
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                f'{self._namespace}/{topic}', OUTPUTS[topic][0], typestore=self._store
            )
        return self._connections[topic]

    def _close(self) -> None:
        if self._writer is not None:
            ending = ENDINGS[self._storage]
            self._writer.close()
            self._writer, self._connections, self._written = None, {}, 0
            made = self._folder / UNFINISHED
            information = yaml.safe_load((made / METADATA).read_text())[INFORMATION]
            name = f'{self._folder.name}_{len(self.progress.parts)}{ending}'
            os.replace(made / information['relative_file_paths'][0], self._folder / name)
            shutil.rmtree(made)
            information['relative_file_paths'] = [name]
            information['files'][0]['path'] = name
            self.progress.parts.append(information)
        self.progress.pairs += self._part_pairs
        self._part_pairs = 0
        write_whole(self._folder / PROGRESS, json.dumps(asdict(self.progress)).encode())


def _joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Metadata of a bag of several files."""
    files = [part['files'][0] for part in parts]
    starts = [each['starting_time']['nanoseconds_since_epoch'] for each in files]
    ends = [
        start + each['duration']['nanoseconds'] for start, each in zip(starts, files, strict=True)
    ]
    topics: dict[str, dict[str, Any]] = {}
    for row in (row for part in parts for row in part['topics_with_message_count']):
        name = row['topic_metadata']['name']
        count = topics[name]['message_count'] if name in topics else 0
        topics[name] = {**row, 'message_count': count + row['message_count']}
    return {
        **parts[0],
        'relative_file_paths': [each['path'] for each in files],
        'files': files,
        'starting_time': {'nanoseconds_since_epoch': min(starts)},
        'duration': {'nanoseconds': max(ends) - min(starts)},
        'message_count': sum(part['message_count'] for part in parts),
        'topics_with_message_count': list(topics.values()),
    }
