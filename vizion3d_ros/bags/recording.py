# SPDX-License-Identifier: Apache-2.0
"""A bag as it was recorded: topics and messages of all its files; what is damaged is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from vizion3d_ros.bags.library import plain, typestore
from vizion3d_ros.bags.mcap_file import McapFile
from vizion3d_ros.bags.sqlite_file import SqliteFile
from vizion3d_ros.bags.zstd import SUFFIX
from vizion3d_ros.contracts.errors import InputError

KINDS: dict[str, type[McapFile | SqliteFile]] = {'.mcap': McapFile, '.db3': SqliteFile}
METADATA = 'metadata.yaml'
EXPECTED = 'expected a folder as rosbag2 makes it, or an .mcap or .db3 file'


@dataclass(frozen=True, slots=True)
class Topic:
    """type: as in sensor_msgs/msg/Image; definition: format and text the bag has, or ''."""

    name: str
    type: str
    definition: tuple[str, str] = ('', '')


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message with its topic, and when it was recorded, in nanoseconds."""

    topic: str
    time_ns: int
    message: Any


class Recording:
    """
    A rosbag2 folder or one of its files, by whatever software it was written.

    on_fault: told, in a sentence, of what had to be left out.
    """

    def __init__(self, path: Path, on_fault: Callable[[str], None]) -> None:
        """Raise InputError if that is no bag."""
        self._store = typestore()
        self._on_fault = on_fault
        self._information = _information(path, on_fault) if path.is_dir() else {}
        self.files = self._find(path)
        self._sources = [KINDS[_kind(file)](file, on_fault) for file in self.files]

    @property
    def storage(self) -> str:
        """Mcap or sqlite3."""
        return 'mcap' if _kind(self.files[0]) == '.mcap' else 'sqlite3'

    @cached_property
    def topics(self) -> dict[str, Topic]:
        """All topics by name; InputError if no file is one of a bag."""
        found: dict[str, Topic] = {}
        readable, faults = [], []
        for source in self._sources:
            try:
                described = source.topics()
            except InputError as error:
                faults.append(error)
                continue
            readable.append(source)
            for name, kind, definition in described:
                found.setdefault(name, Topic(name, kind, definition))
        if not readable:
            raise faults[0]
        for fault in faults:
            self._on_fault(f'{fault}: left out')
        self._sources = readable
        return found

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many messages a topic has, where the bag says so."""
        rows = self._information.get('topics_with_message_count') or []
        try:
            return {row['topic_metadata']['name']: int(row['message_count']) for row in rows}
        except (KeyError, TypeError, ValueError):
            return {}

    def messages(self, names: Collection[str]) -> Iterator[Recorded]:
        """Go through the messages of some topics, in the order of time within a file."""
        stores = {name: self._types_of(self.topics[name]) for name in names}
        for source in self._sources:
            for name, time_ns, raw in source.messages(set(names)):
                kind = self.topics[name].type
                try:
                    message = plain(stores[name].deserialize_cdr(raw, kind))
                except Exception as error:  # whatever its bytes lead the library to
                    self._on_fault(
                        f'{name}: a message of {len(raw)} bytes at {time_ns / 1e9:.3f} s is no '
                        f'{kind} and left out ({type(error).__name__}: {error})'
                    )
                    continue
                yield Recorded(name, time_ns, message)

    def _types_of(self, topic: Topic) -> Any:
        """Read by the definition in the bag; where it has none, by that of Jazzy."""
        encoding, text = topic.definition
        if not text or encoding != 'ros2msg':
            return self._store
        from rosbags.typesys import Stores, get_types_from_msg, get_typestore

        own = get_typestore(Stores.EMPTY)
        try:
            own.register(get_types_from_msg(text, topic.type))
            own.get_msgdef(topic.type)
        except Exception as error:
            self._on_fault(f'{topic.name}: its definition in the bag cannot be read ({error})')
            return self._store
        return own

    def _find(self, path: Path) -> list[Path]:
        if not path.exists():
            raise InputError(f'{path}: no such bag; {EXPECTED}')
        if path.is_file():
            files = [path]
        elif names := self._information.get('relative_file_paths'):
            files = [path / Path(str(name)).name for name in names]
        else:
            files = _in_folder(path)
        for file in [each for each in files if not each.is_file()]:
            self._on_fault(f'{file.name}: named by {METADATA}, but not there')
        files = [each for each in files if each.is_file() and _kind(each) in KINDS]
        if path.suffix == '.bag':
            raise InputError(
                f'{path}: {EXPECTED}, got one of ROS 1, which '
                f'`rosbags-convert --src {path} --dst FOLDER` makes one of ROS 2'
            )
        if not files:
            raise InputError(f'{path}: {EXPECTED}, got nothing of the kind')
        return files


def _kind(file: Path) -> str:
    """The suffix that tells what a file is, packed or not."""
    return Path(file.name.removesuffix(SUFFIX)).suffix


def _in_folder(folder: Path) -> list[Path]:
    """Files of a bag in the order of their numbers; of those packed half-way, the plain ones."""
    files = {file.name: file for file in folder.iterdir() if _kind(file) in KINDS}
    kept = [
        file
        for name, file in files.items()
        if file.suffix != SUFFIX or name.removesuffix(SUFFIX) not in files
    ]
    return sorted(
        kept, key=lambda file: ([int(n) for n in re.findall(r'\d+', file.name)], file.name)
    )


def _information(folder: Path, on_fault: Callable[[str], None]) -> dict[str, Any]:
    """What metadata.yaml says; without one, as after a crash of the recorder, the files speak."""
    try:
        content = yaml.safe_load((folder / METADATA).read_text())
        return dict(content['rosbag2_bagfile_information'])
    except FileNotFoundError:
        on_fault(f'{folder}: has no {METADATA}, as if the recorder had been killed')
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        on_fault(f'{folder / METADATA}: cannot be read ({error})')
    return {}
