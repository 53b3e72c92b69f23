# SPDX-License-Identifier: Apache-2.0
"""
Bring the bytes of one address into one file, however often the connection breaks.

A part that has arrived is continued (RFC 9110, Range and If-Range) only when the server vouches,
by a strong ETag or by Last-Modified, that it is still the same file.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from io import FileIO
from pathlib import Path

from vizion3d_ros.contracts.errors import DownloadError
from vizion3d_ros.engine.weights.cache import ENVIRONMENT, Slot, pause, write_json
from vizion3d_ros.engine.weights.http import (
    BY_HAND,
    InterruptedTransfer,
    open_url,
    public_part,
)
from vizion3d_ros.engine.weights.progress import in_words, progress

BACKOFF_S = (1.0, 2.0, 4.0, 8.0)  # after failures in a row without a new byte
CHUNK = 1 << 20
CONTINUES = 206

log = logging.getLogger(__name__)


@dataclass
class Part:
    """
    What has arrived of a file, and what it belongs to.

    total is the size of the whole file in bytes, None if the server does not say; validator is
    the server's mark of this very content, '' if it gave none.
    """

    path: Path
    url: str
    validator: str = ''
    total: int | None = None

    @classmethod
    def of(cls, slot: Slot, url: str) -> Part:
        """Return the part in this slot; what belongs to another address is dropped."""
        part = cls(slot.part, url)
        try:
            note = json.loads(part._note.read_text(encoding='utf-8'))
            if note['url'] == public_part(url):
                part.validator, part.total = note['validator'], note['total']
                return part
        except (OSError, ValueError, TypeError, KeyError):
            pass
        part.clear()
        return part

    @property
    def _note(self) -> Path:
        return self.path.with_name(self.path.name + '.json')

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def is_whole(self) -> bool:
        """True when all bytes are known to be there."""
        return self.path.exists() and self.size == self.total

    def clear(self) -> None:
        """Forget what is there."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self.validator, self.total = '', None

    def headers(self) -> dict[str, str]:
        """Ask for the rest, or for everything if what is there cannot be vouched for."""
        if not self.size or not self.validator:
            return {}
        return {'Range': f'bytes={self.size}-', 'If-Range': self.validator}

    def prepare_for(self, response: HTTPResponse) -> None:
        """Keep what is there if the response continues it, else start over."""
        validator = _validator(response)
        if response.status == CONTINUES:
            if validator not in ('', self.validator) or not self._fits(response):
                raise InterruptedTransfer('the file has changed on the server', restart=True)
            return
        self.clear()
        length = response.headers.get('Content-Length', '')
        self.validator, self.total = validator, int(length) if length.isdigit() else None
        content = {'url': public_part(self.url), 'validator': validator, 'total': self.total}
        write_json(self._note, content)

    def _fits(self, response: HTTPResponse) -> bool:
        found = re.fullmatch(
            r'bytes (\d+)-\d+/(\d+|\*)', response.headers.get('Content-Range', '')
        )
        return found is not None and (
            int(found[1]) == self.size and found[2] in ('*', str(self.total))
        )


def _validator(response: HTTPResponse) -> str:
    etag = response.headers.get('ETag', '')
    return etag if etag.startswith('"') else response.headers.get('Last-Modified', '')


def transfer(part: Part, cancel: threading.Event) -> None:
    """
    Fetch until the part is whole.

    Raises DownloadError when the server refuses, the network stays away, there is no room or
    cancel is set, OSError when the disk refuses; what has arrived stays.
    """
    farthest, failures = part.size, 0
    while not part.is_whole:
        try:
            return _receive(part, cancel)
        except InterruptedTransfer as error:
            if part.size > farthest:
                farthest, failures = part.size, 0
            if error.restart:
                part.clear()
            if failures == len(BACKOFF_S):
                raise DownloadError(_given_up(part, error)) from error
            log.warning('%s; trying again in %g s', error, BACKOFF_S[failures])
            pause(cancel, BACKOFF_S[failures])
            failures += 1


def _given_up(part: Part, error: Exception) -> str:
    kept = f'the {in_words(part.size)} that came are kept; ' if part.size else ''
    return (
        f'{error}: given up after {len(BACKOFF_S) + 1} tries; '
        f'{kept}check the network and start again, {BY_HAND}'
    )


def _receive(part: Part, cancel: threading.Event) -> None:
    """One request, from where the part ends."""
    with open_url(part.url, part.headers()) as response:
        part.prepare_for(response)
        _check_room(part)
        name = part.path.name.removesuffix('.part')
        with (
            part.path.open('ab', buffering=0) as file,
            progress(name, part.size, part.total) as report,
        ):
            for chunk in _chunks(response, part.url, cancel):
                _write(file, chunk)
                report(len(chunk))
    if part.total is not None and not part.is_whole:
        raise InterruptedTransfer(
            f'{public_part(part.url)}: the connection ended '
            f'after {part.size} of {part.total} bytes'
        )


def _chunks(response: HTTPResponse, url: str, cancel: threading.Event) -> Iterator[bytes]:
    try:
        while chunk := response.read1(CHUNK):
            yield chunk
            pause(cancel, 0.0)
    except (OSError, HTTPException) as error:
        raise InterruptedTransfer(
            f'{public_part(url)}: {error or type(error).__name__}'
        ) from error


def _check_room(part: Part) -> None:
    missing = (part.total or 0) - part.size
    free = shutil.disk_usage(part.path.parent).free
    if missing > free:
        raise DownloadError(
            f'{public_part(part.url)} needs {in_words(missing)} more in {part.path.parent}, which '
            f'has {in_words(free)} free; make room, or set {ENVIRONMENT} to another folder'
        )


def _write(file: FileIO, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]
