# SPDX-License-Identifier: Apache-2.0
"""Fetch one address into its place in the cache: whole and checked, or not at all."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

from vizion3d_ros.contracts.errors import CheckpointError, DownloadError
from vizion3d_ros.engine.weights.cache import ENVIRONMENT, Record, Slot
from vizion3d_ros.engine.weights.container import fault, sha256_fault, sha256_of
from vizion3d_ros.engine.weights.http import public_part
from vizion3d_ros.engine.weights.progress import in_words
from vizion3d_ros.engine.weights.transfer import Part, transfer

log = logging.getLogger(__name__)


def download(url: str, slot: Slot, sha256: str, cancel: threading.Event) -> None:
    """
    Fetch url into slot.file; the caller holds the lock.

    sha256 is '' or what the file must have. Raises DownloadError if it does not come or cannot be
    stored, and CheckpointError if what comes is no checkpoint; that is then slot.bad.
    """
    try:
        _download(url, slot, sha256, cancel)
    except OSError as error:
        raise DownloadError(
            f'{public_part(url)} cannot be stored as {slot.file}: {error.strerror}; '
            f'make room, or set {ENVIRONMENT} to another folder'
        ) from error


def _download(url: str, slot: Slot, sha256: str, cancel: threading.Event) -> None:
    part = Part.of(slot, url)
    resumed = part.size
    log.info('downloading %s to %s%s', public_part(url), slot.file, _going_on_at(resumed))
    transfer(part, cancel)
    wrong = _wrong(part.path, sha256)
    if wrong and resumed:  # a power cut can leave holes in what came before it
        log.warning('%s %s; downloading all of it again', part.path, wrong)
        part.clear()
        transfer(part, cancel)
        wrong = _wrong(part.path, sha256)
    _publish(part, slot, wrong)
    if wrong:
        raise CheckpointError(
            f'{public_part(url)} {wrong}; it was set aside as {slot.bad}; check the address: '
            f'{slot.cure()}'
        )
    log.info('downloaded %s (%s)', slot.file, in_words(slot.file.stat().st_size))


def _going_on_at(there: int) -> str:
    return f', going on at {in_words(there)}' if there else ''


def _wrong(path: Path, sha256: str) -> str:
    return fault(path) or sha256_fault(path, sha256)


def _publish(part: Part, slot: Slot, wrong: str) -> None:
    """Give the part its final name in one step, the note about it first."""
    _to_disk(part.path)
    address = public_part(part.url)
    size, digest = part.size, sha256_of(part.path)
    Record(address, size, digest, refused=wrong).write(slot.record_file)
    part.path.replace(slot.bad if wrong else slot.file)
    _to_disk(slot.file.parent)
    part.clear()


def _to_disk(path: Path) -> None:
    """Wait until what path holds (a file's bytes, a folder's names) survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
