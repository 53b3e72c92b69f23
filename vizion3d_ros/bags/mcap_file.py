# SPDX-License-Identifier: Apache-2.0
"""
One MCAP file (mcap.dev/spec), from its beginning to where it ends or breaks off.

Without the index at its end, which a recorder that was killed has not written. A chunk that does
not decompress or has another checksum is left out, what follows it is read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from vizion3d_ros.bags.zstd import LARGEST, on_disk, unpack, unpack_message
from vizion3d_ros.contracts.errors import InputError

MAGIC = b'\x89MCAP0\r\n'
FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, DATA_END = 0x02, 0x03, 0x04, 0x05, 0x06, 0x0F

Row = tuple[str, int, bytes]
Described = tuple[str, str, tuple[str, str]]


class McapFile:
    """Topics and messages of one file."""

    def __init__(self, path: Path, on_fault: Callable[[str], None]) -> None:
        """on_fault: told what was left out."""
        self._path = path
        self._on_fault = on_fault
        self._schemas: dict[int, tuple[str, str, str]] = {}
        self._channels: dict[int, tuple[int, str]] = {}

    def topics(self) -> list[Described]:
        """Name, type and definition of every topic; InputError for what is no MCAP file."""
        faults: list[str] = []
        on_fault, self._on_fault = self._on_fault, faults.append
        for _ in self._records():
            pass
        self._on_fault = on_fault
        for fault in () if self._channels else faults:  # else messages() tells it
            on_fault(fault)
        return [(topic, *self._schema(schema)) for schema, topic in self._channels.values()]

    def messages(self, names: Collection[str]) -> Iterator[Row]:
        """Topic, log time in nanoseconds and bytes; in a chunk by time."""
        for content in self._records():
            rows: list[Row] = []
            for record in content:
                channel, _, time_ns = struct.unpack_from('<HIQ', record)
                topic = self._channels.get(channel, (0, ''))[1]
                if topic in names:
                    rows.append((topic, time_ns, bytes(record[22:])))
            for topic, time_ns, raw in sorted(rows, key=lambda row: row[1]):
                try:
                    yield topic, time_ns, unpack_message(raw)
                except Exception as error:
                    self._on_fault(f'{self._path.name}: a message of {topic}: {error}')

    def _schema(self, number: int) -> tuple[str, tuple[str, str]]:
        name, encoding, text = self._schemas.get(number, ('', '', ''))
        return name, (encoding, text)

    def _records(self) -> Iterator[list[memoryview]]:
        """Messages chunk by chunk, or one by one where there are no chunks."""
        with on_disk(self._path, self._on_fault) as path, path.open('rb') as file:
            size = path.stat().st_size
            if file.read(len(MAGIC)) != MAGIC:
                raise InputError(f'{self._path}: expected an MCAP file, got something else')
            while (head := file.read(9)) and head[0] not in (FOOTER, DATA_END):
                here = file.tell() - len(head)
                length = struct.unpack('<Q', head[1:])[0] if len(head) == 9 else size
                if here + 9 + length > size:
                    self._on_fault(
                        f'{self._path.name}: breaks off at byte {here} of {size}, as if the '
                        'recorder had been killed; what comes before is read'
                    )
                    return
                yield self._read(head[0], file, length, here)

    def _read(self, kind: int, file: BinaryIO, length: int, here: int) -> list[memoryview]:
        if kind not in (SCHEMA, CHANNEL, MESSAGE, CHUNK):
            file.seek(length, 1)
            return []
        content = memoryview(file.read(length))
        try:
            return list(self._take(kind, content))
        except Exception as error:  # whatever decompressors make of damaged bytes
            what = 'a chunk' if kind == CHUNK else 'a record'
            self._on_fault(f'{self._path.name}: {what} at byte {here} is left out: {error}')
            return []

    def _take(self, kind: int, content: memoryview) -> Iterator[memoryview]:
        if kind == CHUNK:
            for inner, record in _inside(_unpacked(content)):
                yield from self._take(inner, record) if inner != CHUNK else ()
        elif kind == MESSAGE:
            yield content
        elif kind == SCHEMA:
            number, fields = struct.unpack_from('<H', content)[0], _strings(content[2:], 3)
            self._schemas[number] = (fields[0], fields[1], fields[2])
        elif kind == CHANNEL:
            number, schema = struct.unpack_from('<HH', content)
            self._channels[number] = (schema, _strings(content[4:], 1)[0])


def _inside(content: bytes) -> Iterator[tuple[int, memoryview]]:
    """Records of a chunk: kind and content."""
    view, at = memoryview(content), 0
    while at < len(view):
        kind, length = struct.unpack_from('<BQ', view, at)
        if at + 9 + length > len(view):
            raise ValueError('a record is longer than its chunk')
        yield kind, view[at + 9 : at + 9 + length]
        at += 9 + length


def _unpacked(chunk: memoryview) -> bytes:
    size, checksum, letters = struct.unpack_from('<QII', chunk, 16)
    kind = bytes(chunk[32 : 32 + letters]).decode()
    if kind not in UNPACK or size > LARGEST:
        raise ValueError(f'compression {kind!r} of {size} bytes, expected lz4, zstd or none')
    content = UNPACK[kind](bytes(chunk[40 + letters :]))
    if len(content) != size:
        raise ValueError(f'expected {size} bytes, got {len(content)}')
    if checksum and zlib.crc32(content) != checksum:
        raise ValueError('its checksum is another one')
    return content


def _strings(content: memoryview, count: int) -> list[str]:
    texts, at = [], 0
    for _ in range(count):
        (length,) = struct.unpack_from('<I', content, at)
        texts.append(bytes(content[at + 4 : at + 4 + length]).decode())
        at += 4 + length
    return texts


def _lz4(content: bytes) -> bytes:
    from lz4.frame import decompress

    answer: bytes = decompress(content)
    return answer


UNPACK: dict[str, Any] = {'': bytes, 'lz4': _lz4, 'zstd': unpack}
