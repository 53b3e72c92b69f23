# SPDX-License-Identifier: Apache-2.0
"""Zstandard, by which rosbag2 packs messages, chunks or whole files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from vizion3d_ros.contracts.errors import InputError

SUFFIX = '.zstd'
MAGIC = b'\x28\xb5\x2f\xfd'  # no message in CDR begins with it
LARGEST = 4 * 2**30  # bytes of a message or chunk; more is damage, or meant to do some


def unpack(content: bytes) -> bytes:
    """Raise the library's ZstdError for damaged bytes, ValueError for cut or enormous ones."""
    unpacker = _library().ZstdDecompressor()
    answer: bytes = unpacker.decompress(content, LARGEST)
    if not unpacker.eof:
        raise ValueError(f'is cut short, or holds more than {LARGEST} bytes')
    return answer


def unpack_message(raw: bytes) -> bytes:
    """Unpack a message that is packed of its own, whatever metadata.yaml says or has lost."""
    return unpack(raw) if raw[:4] == MAGIC else raw


@contextmanager
def on_disk(path: Path, on_fault: Callable[[str], None]) -> Iterator[Path]:
    """
    Have a file that may be packed as a whole as a plain one, for as long as it is needed.

    on_fault: told if it is damaged; what comes before is there. InputError without room for it.
    """
    if path.suffix != SUFFIX:
        yield path
        return
    with TemporaryDirectory() as folder:
        plain, library = Path(folder) / path.stem, _library()
        try:
            with library.open(path, 'rb') as packed, plain.open('wb') as file:
                shutil.copyfileobj(packed, file)
        except (EOFError, library.ZstdError) as error:
            on_fault(f'{path.name}: cannot be unpacked to its end: {error}')
        except OSError as error:
            raise InputError(
                f'{path}: cannot be unpacked below {folder}: {error}; TMPDIR chooses another place'
            ) from error
        yield plain


def _library() -> Any:
    from rosbags.rosbag2 import reader  # which finds the module of this Python

    return reader.zstd  # type: ignore[attr-defined]
