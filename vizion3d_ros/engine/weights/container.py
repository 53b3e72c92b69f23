# SPDX-License-Identifier: Apache-2.0
"""What a file is, before anything of it is loaded: torch itself notices no flipped bit."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from vizion3d_ros.engine import onnx_file

ZIP, PICKLE = b'PK\x03\x04', b'\x80'
ONNX = '.onnx'


def fault(path: Path) -> str:
    """
    Why this file cannot be a checkpoint, '' if nothing speaks against it.

    What ends in .onnx has to be a network in ONNX, all else a checkpoint of PyTorch.

    Reads the whole file and compares the checksum of every record. Raises OSError if the file
    cannot be opened.
    """
    with path.open('rb') as file:
        head = file.read(512)
    if not head:
        return 'is empty'
    if head.lstrip().startswith(b'<'):
        return f'is an HTML or XML page, not a checkpoint: it begins with {_quote(head.lstrip())}'
    if path.name.removesuffix('.part').endswith(ONNX):
        return onnx_file.fault(path)
    if head.startswith(ZIP):
        return _zip_fault(path)
    return '' if head.startswith(PICKLE) else f'is no checkpoint: it begins with {_quote(head)}'


def _quote(head: bytes) -> str:
    return repr(head[:40].decode('utf-8', 'backslashreplace'))


def _zip_fault(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            # torch can save without checksums; it then writes a zero for each
            damaged = archive.testzip() if any(member.CRC for member in members) else None
    except Exception as error:  # zipfile raises all kinds for a damaged file
        return f'is cut short or damaged ({error}; it has {path.stat().st_size} bytes)'
    if damaged:
        return f'is damaged: the checksum of its record {damaged} is wrong'
    if not any(member.filename.endswith('data.pkl') for member in members):
        names = ', '.join(member.filename for member in members[:3])
        return f'is an archive, but no checkpoint: it holds {names or "nothing"}'
    return ''


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hex digits."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256_fault(path: Path, expected: str) -> str:
    """What is wrong with the file if a SHA-256 is expected ('' = any), else ''."""
    if not expected:
        return ''
    found = sha256_of(path)
    if found == expected.lower():
        return ''
    return f'has the SHA-256 {found}, expected {expected.lower()}'
