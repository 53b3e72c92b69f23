# SPDX-License-Identifier: Apache-2.0
"""The folder that a process was started in."""

from __future__ import annotations

import os

from vizion3d_ros.contracts.errors import InputError


def check_current_folder() -> None:
    """
    Raise InputError where the current folder is gone, as a shell keeps one that was deleted.

    Left alone, MKL ends the process where torch is imported, with words about another file.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise InputError(
            'the current folder is gone: it was deleted, or made anew, after this terminal went '
            'there; cd to one that is there'
        ) from error
