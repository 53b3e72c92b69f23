# SPDX-License-Identifier: Apache-2.0
"""
One folder per answer: its files, and result.json, which says what they are and what made them.

result.json is removed first and written last: where it is, the folder is whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vizion3d_ros.contracts.errors import InputError

RECORD = 'result.json'


@dataclass(frozen=True, slots=True)
class File:
    """A file to write: how it is encoded, and what a reader must know of its contents."""

    encode: Callable[[], bytes]
    meaning: str


@dataclass(frozen=True, slots=True)
class ResultFiles:
    """
    What there is to write of one answer.

    files: by name. facts: for result.json, plain JSON values. summary: one line for people.
    """

    files: Mapping[str, File]
    facts: Mapping[str, Any]
    summary: str


def write_result(folder: Path, result: ResultFiles, asked: Mapping[str, Any]) -> None:
    """
    Write the files of one answer; asked: what it was made with, plain JSON values.

    Raises InputError if the folder cannot be written to.
    """
    record = {
        **result.facts,
        'asked': asked,
        'files': {name: file.meaning for name, file in result.files.items()},
    }
    try:
        (folder / RECORD).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    for name, file in result.files.items():
        write_file(folder / name, file.encode())
    write_file(folder / RECORD, (json.dumps(record, indent=2) + '\n').encode())


def write_file(path: Path, content: bytes) -> None:
    """Write a file into a folder that is made if need be; InputError if that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise unwritable(path, error) from error


def write_whole(path: Path, content: bytes) -> None:
    """
    Write a file whose name never stands for half of it, whenever the process or disk ends.

    Raises OSError, and then whatever was there before still is.
    """
    target = path.resolve()  # a link stays one
    if target.exists() and not target.is_file():  # a device, which nothing is put in place of
        target.write_bytes(content)
        return
    draft = target.with_name(f'.{target.name}.part')
    try:
        draft.write_bytes(content)
        draft.replace(target)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def is_done(folder: Path, inputs: Iterable[Path], asked: Mapping[str, Any]) -> bool:
    """Tell whether all files are there, made with the same `asked`, and newer than the inputs."""
    try:
        record = json.loads((folder / RECORD).read_text())
        outputs = [folder / RECORD, *(folder / name for name in record['files'])]
        oldest = min(path.stat().st_mtime_ns for path in outputs)
        newest = max(path.stat().st_mtime_ns for path in inputs)
        return bool(record['asked'] == asked and oldest > newest)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def unwritable(path: Path, error: Exception, cure: str = 'name another place') -> InputError:
    """Say why nothing can be written there, and what to do."""
    return InputError(
        f'{path}: cannot be written: {getattr(error, "strerror", None) or error}; {cure}'
    )
