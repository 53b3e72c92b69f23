# SPDX-License-Identifier: Apache-2.0
"""The error family. Every message says what was expected, what came, and what to do."""

from pydantic import ValidationError

MOST_LETTERS = 1000  # of a sentence to a caller
NO_MEMORY = 'not enough memory: send smaller images, or end other programs'


class DepthError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(DepthError):
    """An image or a field of a command cannot be used."""


class NotAllowedError(InputError):
    """A request names something that the operator has not allowed."""


class CalibrationError(DepthError):
    """A calibration cannot be used."""


class BackendError(DepthError):
    """A matcher is unknown, cannot be loaded or failed."""


class BusyError(BackendError):
    """A request cannot be taken now, as too many wait."""


class LateError(DepthError):
    """A request has waited for its answer for longer than it may."""


class DownloadError(BackendError):
    """A checkpoint cannot be fetched; what has arrived of it is kept."""


class CheckpointError(BackendError):
    """A checkpoint file cannot be used."""


def explain(error: Exception) -> str:
    """One line for a person: a pydantic error without its boilerplate, others as they are."""
    if isinstance(error, MemoryError):
        return NO_MEMORY
    if not isinstance(error, ValidationError):
        return printable(str(error)) or type(error).__name__
    fields = (_explain_field(dict(item)) for item in error.errors(include_url=False))
    return printable('; '.join(fields))


def printable(text: str) -> str:
    """Keep to letters that ROS and others can send: names of files may have others."""
    return text.encode(errors='replace').decode()


def sendable(text: str) -> str:
    """Keep to letters that can be sent, and to few of them: it may quote whatever came."""
    return printable(text)[:MOST_LETTERS]


def _explain_field(item: dict[str, object]) -> str:
    location = item['loc']
    name = '.'.join(map(str, location)) if isinstance(location, tuple) else ''
    message = str(item['msg']).removeprefix('Value error, ')
    if item['type'] == 'value_error':  # ours: they quote what came
        return f'{name}: {message}' if name else message
    return f'{name}: {message}, got {item["input"]!r}'
