# SPDX-License-Identifier: Apache-2.0
"""
The points of a PLY file, from its bytes: open3d reads PLY from files only.

Of all that PLY can hold, the element `vertex` is read: x, y, z and, if they are there, red,
green, blue.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizion3d_ros.contracts.annotation.cloud import ColoredPoints
from vizion3d_ros.contracts.errors import InputError

ORDERS = {'ascii': '=', 'binary_little_endian': '<', 'binary_big_endian': '>'}
KINDS = {
    **{'char': 'i1', 'int8': 'i1', 'uchar': 'u1', 'uint8': 'u1'},
    **{'short': 'i2', 'int16': 'i2', 'ushort': 'u2', 'uint16': 'u2'},
    **{'int': 'i4', 'int32': 'i4', 'uint': 'u4', 'uint32': 'u4'},
    **{'float': 'f4', 'float32': 'f4', 'double': 'f8', 'float64': 'f8'},
}
POSITION, COLOUR = ['x', 'y', 'z'], ['red', 'green', 'blue']
MOST_HEADER_BYTES = 65536
EXPECTED = 'expected a PLY file with points x, y, z'


def read_ply(path: Path, name: str) -> ColoredPoints:
    """Read a PLY file; InputError, which begins with name, if that cannot be done."""
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f'{name}: cannot be read: {error}') from error
    return decode_ply(content, name)


def decode_ply(encoded: bytes, name: str) -> ColoredPoints:
    """
    Decode a PLY file: xyz float32 or float64 (N, 3), as stored; rgb uint8 (N, 3) or None.

    Raises InputError, which begins with name, for what is no such file, or cut short.
    """
    try:
        return _decode(encoded)
    except InputError as error:
        raise InputError(f'{name}: {EXPECTED}: {error}') from error
    except (ValueError, IndexError, UnicodeDecodeError, OverflowError) as error:
        raise InputError(f'{name}: {EXPECTED}, but its header or numbers are damaged') from error


def _decode(encoded: bytes) -> ColoredPoints:
    if not encoded.startswith((b'ply\n', b'ply\r\n')):
        raise InputError(f'it has {len(encoded)} bytes of something else')
    end = encoded.find(b'end_header', 0, MOST_HEADER_BYTES)
    if end < 0:
        raise InputError('its header has no end')
    body = encoded[encoded.index(b'\n', end) + 1 :]
    header = [line.split() for line in encoded[:end].decode('ascii', 'replace').splitlines()]
    kind = next((line[1] for line in header if line[:1] == ['format']), '')
    if kind not in ORDERS:
        raise InputError(f'its format {kind!r} is unknown')
    count, fields = _vertex(header, ORDERS[kind])
    vertices = _ascii(body, count, fields) if kind == 'ascii' else _binary(body, count, fields)
    xyz = np.stack([vertices[axis] for axis in POSITION], axis=1)
    if not set(COLOUR) <= set(vertices.dtype.names or ()):
        return ColoredPoints(xyz)
    rgb = np.stack([vertices[colour] for colour in COLOUR], axis=1)
    return ColoredPoints(xyz, rgb if rgb.dtype == np.uint8 else _bytes(rgb))


def _vertex(header: list[list[str]], order: str) -> tuple[int, np.dtype[Any]]:
    """How many points there are, and what is stored of each."""
    elements = [line for line in header if line[:1] == ['element']]
    if not elements or elements[0][1] != 'vertex':
        raise InputError('its first element is no vertex')
    start = header.index(elements[0]) + 1
    stop = header.index(elements[1]) if len(elements) > 1 else len(header)
    properties = [line for line in header[start:stop] if line[:1] == ['property']]
    if any(line[1] not in KINDS for line in properties):
        raise InputError('its vertices have a property of unknown size')
    fields = np.dtype([(line[2], order + KINDS[line[1]]) for line in properties])
    if not set(POSITION) <= set(fields.names or ()):
        raise InputError(f'its vertices have {", ".join(fields.names or ()) or "nothing"}')
    return int(elements[0][2]), fields


def _binary(body: bytes, count: int, fields: np.dtype[Any]) -> NDArray[Any]:
    if not 0 <= count * fields.itemsize <= len(body):
        raise InputError(
            f'it is cut short: {count} vertices take {count * fields.itemsize} bytes, '
            f'{len(body)} are there'
        )
    return np.frombuffer(body, fields, count)


def _ascii(body: bytes, count: int, fields: np.dtype[Any]) -> NDArray[Any]:
    width = len(fields.names or ())
    rows = [line.split() for line in body.splitlines()[: max(count, 0)]]
    if len(rows) != count or any(len(row) < width for row in rows):
        raise InputError(f'it is cut short: {count} vertices are promised')
    numbers = np.array([row[:width] for row in rows], np.float64).reshape(count, width)
    vertices = np.empty(count, fields)
    for index, field in enumerate(fields.names or ()):
        vertices[field] = numbers[:, index]
    return vertices


def _bytes(rgb: NDArray[Any]) -> NDArray[np.uint8]:
    """Colours that are stored as fractions."""
    return (np.clip(rgb, 0, 1) * 255).round().astype(np.uint8)
