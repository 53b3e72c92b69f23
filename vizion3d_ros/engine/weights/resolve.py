# SPDX-License-Identifier: Apache-2.0
"""From what the user names to a file on this machine."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from vizion3d_ros.contracts.errors import CheckpointError, DownloadError
from vizion3d_ros.engine.weights.cache import Slot, cache_dir, locked, slot_for
from vizion3d_ros.engine.weights.container import ONNX, fault, sha256_fault
from vizion3d_ros.engine.weights.download import download
from vizion3d_ros.engine.weights.families import Family
from vizion3d_ros.engine.weights.http import BY_HAND, check_url, public_part
from vizion3d_ros.engine.weights.names import KNOWN, KnownModel, known_by_name, known_by_url


@dataclass(frozen=True)
class ModelFile:
    """
    A checkpoint on this machine.

    known: what the name or address promised; None for any other file. slot: its place in the
    cache; None for the user's own file, which is never renamed. family: what it is for, if known.
    """

    path: Path
    known: KnownModel | None = None
    slot: Slot | None = None
    family: Family | None = None

    def check(self, sha256: str = '') -> None:
        """
        Read the file once and refuse it if any byte of it is wrong.

        sha256: what it must have; '' = what it had when it was downloaded, if that is known.
        """
        downloaded = self.slot.record.sha256 if self.slot else ''
        try:
            wrong = fault(self.path) or sha256_fault(self.path, sha256 or downloaded)
        except OSError as error:
            raise self.unreadable(error) from error
        if wrong:
            raise self.refuse(wrong)

    def refuse(self, reason: str, set_aside: bool = True) -> CheckpointError:
        """Set the file aside if it is in the cache, and return the error to raise."""
        if self.slot is None or not set_aside:
            return CheckpointError(f'{self.path} {reason}; {_another(self.path, self.family)}')
        return CheckpointError(f'{self.path} {reason}; {_set_aside(self.slot, reason)}')

    def unreadable(self, error: OSError) -> CheckpointError:
        """Return the error to raise where the system does not let the file be read."""
        return CheckpointError(
            f'{self.path} cannot be read: {error.strerror}; check that it is there and readable'
        )


def _set_aside(slot: Slot, reason: str) -> str:
    try:
        slot.set_aside(reason)
    except OSError as error:
        return f'it could not be set aside ({error.strerror}): remove it'
    return f'it was set aside as {slot.bad.name}; {slot.cure()}'


def _another(path: Path, family: Family | None) -> str:
    names = '' if path.suffix == ONNX else f', or one of {_names(family)}'
    return f'give model_backend the path of another file{names}'


def _names(family: Family | None = None) -> str:
    return ', '.join(model.name for model in KNOWN if family in (None, model.family))


def resolve(
    model: str,
    family: Family | None = None,
    sha256: str = '',
    cancel: threading.Event | None = None,
) -> ModelFile:
    """
    Return the file that model names; it is downloaded if it is an address and not cached yet.

    model: a name of KNOWN, an https address that ends in .pth, .pt or .onnx, or a path. family:
    what the file is for; a known model of another family is refused before it is downloaded.
    sha256: 64 hex digits that the file must have, '' = not checked. cancel: ends a download from
    another thread. Needs neither network nor a writable cache once the file is there.

    Raises DownloadError (no network, refused, disk full, cancelled) and CheckpointError (no such
    file, not a checkpoint, another sha256, set aside before).
    """
    _check_sha256(sha256)
    known = _known_of(model, family)
    sha256 = sha256 or (known.sha256 if known else '')
    file = _find(model, known, family, sha256, cancel or threading.Event())
    if sha256:
        file.check(sha256)
    return file


def check_name(model: str, family: Family | None = None) -> None:
    """Raise as resolve does where neither a server nor the inside of a file has to be asked."""
    known = _known_of(model, family)
    if known and not known.url:
        _put_by_hand(known)
    elif not known and _is_address(model):
        _file_name(model)
    elif not known:
        _own_file(model, family)


def _known_of(model: str, family: Family | None) -> KnownModel | None:
    known = _known(model)
    if known and family and known.family is not family:
        raise CheckpointError(
            f'{model} is a {known.family.name} model, expected one of {family.name}; '
            f'choose from {_names(family)}'
        )
    return known


def _known(model: str) -> KnownModel | None:
    if not _is_address(model):
        return known_by_name(model)
    check_url(model)
    return known_by_url(model)


def _find(
    model: str,
    known: KnownModel | None,
    family: Family | None,
    sha256: str,
    cancel: threading.Event,
) -> ModelFile:
    if known and not known.url:
        return _put_by_hand(known)
    if known or _is_address(model):
        return _cached(known.url if known else model, known, sha256, cancel)
    return _own_file(model, family)


def _check_sha256(sha256: str) -> None:
    if sha256 and not re.fullmatch(r'[0-9a-fA-F]{64}', sha256):
        raise CheckpointError(f'sha256 must be 64 hex digits, got {sha256!r}')


def _is_address(model: str) -> bool:
    return '://' in model and not model.startswith('file://')


def _own_file(model: str, family: Family | None) -> ModelFile:
    name = unquote(model.removeprefix('file://')) if '://' in model else model
    try:
        given = Path(name).expanduser()
        for path in (given, cache_dir() / given):
            if path.is_file():
                return ModelFile(path, family=family)
    except (OSError, ValueError, RuntimeError) as error:  # too long, a zero byte, no such user
        raise CheckpointError(f'{model[:80]!r} is no path: {error}') from error
    if model.endswith(ONNX):
        raise CheckpointError(f'{model!r} is no file; expected a path or an https address')
    raise CheckpointError(
        f'{model!r} is neither a file nor a known model; expected a path, an https address '
        f'or one of {_names(family)}'
    )


def _put_by_hand(known: KnownModel) -> ModelFile:
    slot = Slot(cache_dir() / known.file_name)
    if not slot.file.is_file():
        raise DownloadError(
            f'no address to download {known.name} from is known; get {known.file_name} from its '
            f"authors and put it into {slot.file.parent}, or give model_backend the file's path"
        )
    return ModelFile(slot.file, known, slot)


def _file_name(url: str) -> str:
    name = unquote(urlsplit(url).path.rpartition('/')[2])
    if not re.fullmatch(r'[^./\\\x00][^/\\\x00]{0,150}\.(pth|pt|onnx)', name):
        raise DownloadError(
            f'{public_part(url)}: expected the address of a file that ends in .pth, .pt or .onnx; '
            f'correct it, {BY_HAND}'
        )
    return name


def _cached(url: str, known: KnownModel | None, sha256: str, cancel: threading.Event) -> ModelFile:
    name = _file_name(url)
    slot = slot_for(url, name)
    if not slot.file.is_file():
        _refuse_if_set_aside(slot)  # before the lock, which a read-only cache does not give
        with locked(name, cancel):
            slot = slot_for(url, name)  # whoever had the lock may have taken the plain name
            if not slot.file.is_file():
                _refuse_if_set_aside(slot)
                download(url, slot, sha256, cancel)
    return ModelFile(slot.file, known, slot)


def _refuse_if_set_aside(slot: Slot) -> None:
    if slot.bad.exists() and slot.record.refused:
        raise CheckpointError(
            f'{slot.bad} was set aside: it {slot.record.refused}; not downloaded again by itself: '
            f'{slot.cure()}'
        )


def allow_download(model: str) -> None:
    """Forget that a download of model was refused: the bad file is deleted."""
    known = _known(model)
    url = known.url if known else model
    if _is_address(url):
        slot_for(url, _file_name(url)).bad.unlink(missing_ok=True)
