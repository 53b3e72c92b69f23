# SPDX-License-Identifier: Apache-2.0
"""
What a request from elsewhere may name: files in chosen folders, checkpoints in a chosen list.

Whatever is not allowed gets one and the same answer, so that nobody learns which files exist.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from vizion3d_ros.contracts.errors import CheckpointError, InputError, NotAllowedError
from vizion3d_ros.contracts.stereo_request import OPENCV_SGBM
from vizion3d_ros.engine.weights.resolve import resolve
from vizion3d_ros.requests.checkpoints import known_model, same_checkpoint


def permitted_path(path: str, folders: Sequence[str], field: str) -> Path:
    """
    Give the true path of a file, all links followed, if it lies in one of the folders.

    folders: as in RequestSettings.allowed_input_dirs, '' counts for nothing. Raises
    NotAllowedError, which names the field, for any other path.
    """
    try:
        true_path = _true(path)
    except ValueError as error:
        raise InputError(f'{field}: {error}, expected the path of a file') from error
    if any(true_path.is_relative_to(_true(folder)) for folder in folders if folder):
        return true_path
    raise NotAllowedError(
        f'{field}: expected a file in {_listed(folders)}, got {path!r}; send the image itself, or '
        'let the operator set requests.allowed_input_dirs'
    )


def permitted_folder(folder: str, allowed: Sequence[str]) -> Path:
    """
    Give the true path of a folder to write to, all links followed, if it is in an allowed one.

    folder: '' stands for the first allowed one. Raises NotAllowedError for any other.
    """
    chosen = [entry for entry in allowed if entry]
    if not folder and chosen:
        return _true(chosen[0])
    try:
        true_path = _true(folder)
        if folder and any(true_path.is_relative_to(_true(entry)) for entry in chosen):
            return true_path
    except ValueError as error:
        raise InputError(f'directory: {error}, expected a folder') from error
    raise NotAllowedError(
        f'directory: expected a folder in {_listed(allowed)}, got {folder!r}: '
        'let the operator set requests.snapshot_dirs'
    )


def permitted_model(
    model: str, own: str, allowed: Sequence[str], field: str = 'model_backend'
) -> str:
    """
    Give the checkpoint that a request may use, paths with all links followed.

    model: '' and 'opencv-sgbm' are always allowed. own: the checkpoint that the service runs
    anyway, '' if it runs none. allowed: names, addresses, files or folders of files, as in
    RequestSettings.allowed_models. Raises NotAllowedError, which names the field, for any other.
    """
    if model in ('', OPENCV_SGBM):
        return model
    if own and same_checkpoint(model, own):
        return own
    chosen = [entry for entry in allowed if entry]
    if any(same_checkpoint(model, entry) for entry in chosen if not _is_path(entry)):
        return model
    file = _own_file(model)
    places = [entry.removeprefix('file://') for entry in chosen if _is_path(entry)]
    if file and any(file.is_relative_to(_true(place)) for place in places):
        return str(file)
    raise NotAllowedError(
        f'{field}: expected none, for the checkpoint in use, or one of {_listed(chosen)}; '
        f'got {model!r}: let the operator set requests.allowed_models'
    )


def permitted_network(
    model: str, own: str, allowed: Sequence[str], field: str = 'model_backend'
) -> str:
    """Give the checkpoint that a request for one image may use, as permitted_model does."""
    if model == OPENCV_SGBM:
        raise InputError(f'{field}: {model!r} needs two images, expected a checkpoint')
    return permitted_model(model, own, allowed, field)


def _own_file(model: str) -> Path | None:
    """The true path of a checkpoint that is named by its path."""
    if not _is_path(model):
        return None
    try:
        return _true(resolve(model).path)
    except (CheckpointError, OSError, ValueError, RuntimeError):  # also: a path that cannot be
        return None


def _is_path(model: str) -> bool:
    return known_model(model) is None and ('://' not in model or model.startswith('file://'))


def _true(path: str | Path) -> Path:
    return Path(os.path.realpath(os.path.expanduser(path)))


def _listed(allowed: Sequence[str]) -> str:
    return ', '.join(repr(entry) for entry in allowed if entry) or '(nothing is allowed)'
