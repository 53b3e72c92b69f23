# SPDX-License-Identifier: Apache-2.0
"""
What an ONNX file says of itself, read without any package and without its weights.

The file is one protocol buffers message (onnx.proto3, ModelProto): fields, each with its length.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO

IR_VERSION, GRAPH, OPSETS, NOTES = 1, 7, 8, 14  # numbers of the fields of a ModelProto
VARINT, EIGHT_BYTES, WITH_LENGTH, FOUR_BYTES = 0, 1, 2, 5  # how a field is stored
MOST_VARINT_BYTES = 10
LARGEST_NOTE = 1 << 20  # bytes; weights are larger and are passed over


class DamagedError(ValueError):
    """The bytes are no whole message."""


@dataclass(frozen=True)
class OnnxFile:
    """opset: version of the operators of ONNX itself, 0 if none is stated. notes: by name."""

    opset: int
    notes: dict[str, str] = field(default_factory=dict)


def fault(path: Path) -> str:
    """Say why this file cannot be a network in ONNX; '' if nothing speaks against it."""
    try:
        read(path)
    except DamagedError as error:
        return f'is no whole ONNX file: {error}'
    return ''


def read(path: Path) -> OnnxFile:
    """Read what stands beside the weights. Raises DamagedError, OSError if it cannot be opened."""
    found: dict[int, list[bytes]] = {}
    with path.open('rb') as file:
        for number, content in _fields(file, path.stat().st_size):
            found.setdefault(number, []).append(content)
    if IR_VERSION not in found or GRAPH not in found:
        raise DamagedError('it holds no graph')
    opsets = [_pair(content) for content in found.get(OPSETS, [])]
    own = [int(version) for domain, version in opsets if not domain and version.isdigit()]
    notes = dict(_pair(content) for content in found.get(NOTES, []))
    return OnnxFile(opset=max(own, default=0), notes=notes)


def _fields(file: IO[bytes], size: int) -> Iterator[tuple[int, bytes]]:
    """Number and content of every field; b'' for numbers and for what is large."""
    while file.tell() < size:
        key = _varint(file)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            yield number, str(_varint(file)).encode()
        elif kind == WITH_LENGTH:
            yield number, _content(file, _varint(file), size)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            yield number, _content(file, 8 if kind == EIGHT_BYTES else 4, size)
        else:
            raise DamagedError(f'byte {file.tell()} begins no field')


def _content(file: IO[bytes], length: int, size: int) -> bytes:
    there = size - file.tell()
    if length > there:
        raise DamagedError(f'cut short: {length} bytes are announced, {there} are there')
    if length > LARGEST_NOTE:
        file.seek(length, os.SEEK_CUR)
        return b''
    return file.read(length)


def _varint(file: IO[bytes]) -> int:
    value = 0
    for place in range(MOST_VARINT_BYTES):
        byte = file.read(1)
        if not byte:
            raise DamagedError('cut short in the middle of a number')
        value |= (byte[0] & 0x7F) << (7 * place)
        if byte[0] < 0x80:
            return value
    raise DamagedError(f'byte {file.tell()} ends no number')


def _pair(content: bytes) -> tuple[str, str]:
    """The first and the second field of a small message, as texts."""
    values = {
        number: value.decode('utf-8', 'replace')
        for number, value in _fields(BytesIO(content), len(content))
    }
    return values.get(1, ''), values.get(2, '0')
