# SPDX-License-Identifier: Apache-2.0
"""Where models are kept, what is known of each, and who may write."""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vizion3d_ros.contracts.errors import DownloadError
from vizion3d_ros.engine.weights.container import sha256_of
from vizion3d_ros.engine.weights.http import public_part

ENVIRONMENT = 'VIZION3D_MODEL_CACHE'
FETCH = 'ros2 run vizion3d_ros fetch_models'
POLL_S = 0.2

log = logging.getLogger(__name__)


def cache_dir() -> Path:
    """The folder of all downloaded models; it need not exist."""
    return Path(os.environ.get(ENVIRONMENT) or '~/.cache/vizion3d/models').expanduser()


@dataclass(frozen=True)
class Record:
    """
    What is known of a file in the cache; all empty if nothing is.

    url without its query; size in bytes; sha256 as downloaded; refused: why the file is not to be
    downloaded again.
    """

    url: str = ''
    size: int = 0
    sha256: str = ''
    refused: str = ''

    @classmethod
    def read(cls, path: Path) -> Record:
        """Return the record at path; an empty one if it is missing or not ours."""
        try:
            return cls(**json.loads(path.read_text(encoding='utf-8')))
        except (OSError, ValueError, TypeError):
            return cls()

    def write(self, path: Path) -> None:
        """Replace the record at path in one step."""
        write_json(path, dataclasses.asdict(self))


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Replace the file in one step, so that nobody ever reads half of it."""
    draft = path.with_name(f'{path.name}.{os.getpid()}')
    draft.write_text(json.dumps(content, indent=1), encoding='utf-8')
    draft.replace(path)


@dataclass(frozen=True)
class Slot:
    """One model's place in the cache, and the files beside it."""

    file: Path

    def _beside(self, ending: str) -> Path:
        return self.file.with_name(self.file.name + ending)

    @property
    def part(self) -> Path:
        """What has arrived of an unfinished download."""
        return self._beside('.part')

    @property
    def bad(self) -> Path:
        """A file that was set aside."""
        return self._beside('.bad')

    @property
    def record_file(self) -> Path:
        """Where the record lies."""
        return self._beside('.json')

    @property
    def record(self) -> Record:
        """What is known of the file, read anew each time."""
        return Record.read(self.record_file)

    def set_aside(self, reason: str) -> None:
        """
        Rename the file to *.bad and note why.

        A download is refused from then on, unless the file was changed since it came: a damaged
        disk is repaired by another download, once; a bad file on the server is not.
        """
        record = self.record
        changed = bool(record.sha256) and sha256_of(self.file) != record.sha256
        refused = '' if changed and not self.bad.exists() else reason
        self.file.replace(self.bad)
        dataclasses.replace(record, refused=refused).write(self.record_file)

    def cure(self) -> str:
        """What to do about a file that was set aside."""
        record = self.record
        if not record.refused:
            return 'the next start downloads it again'
        if not record.url:
            return 'put a good file in its place'
        return f'`{FETCH} {record.url}` downloads it anew, or choose another model_backend'


def slot_for(url: str, file_name: str) -> Slot:
    """The place of url's file: its own name, or with a hash if that is another address's."""
    plain = Slot(cache_dir() / file_name)
    address = public_part(url)
    if plain.record.url in ('', address):
        return plain
    mark = hashlib.sha256(address.encode()).hexdigest()[:8]
    return Slot(plain.file.with_name(f'{plain.file.stem}-{mark}{plain.file.suffix}'))


def pause(cancel: threading.Event, seconds: float) -> None:
    """Wait; raise DownloadError as soon as cancel is set."""
    if cancel.wait(seconds):
        raise DownloadError('the download was stopped; the next one goes on where it ended')


@contextmanager
def locked(file_name: str, cancel: threading.Event) -> Iterator[None]:
    """
    Be the only process that downloads file_name; the lock ends with the process at the latest.

    Raises DownloadError if the cache cannot be written or cancel is set while waiting.
    """
    path = cache_dir() / f'{file_name}.lock'
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open('a')
    except OSError as error:
        raise DownloadError(
            f'{path.parent} cannot be written: {error.strerror}; '
            f'set {ENVIRONMENT} to a folder that can'
        ) from error
    with lock:
        _take(lock, file_name, cancel)
        yield


def _take(lock: IO[str], file_name: str, cancel: threading.Event) -> None:
    told = False
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                log.info('another process is downloading %s: waiting for it', file_name)
            told = True
            pause(cancel, POLL_S)
