# SPDX-License-Identifier: Apache-2.0
"""Runs the command line in this process, in a folder of its own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from vizion3d_ros.cli.main import main


@dataclass(frozen=True)
class Outcome:
    """What a call left behind: exit code, lines of standard output and of the error output."""

    code: int
    out: list[str]
    err: list[str]


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Return a function that calls the command line with its arguments, as strings."""
    monkeypatch.setenv('VIZION3D_MODEL_CACHE', str(tmp_path / 'cache'))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('logging.basicConfig', lambda **settings: None)

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Outcome(ended.value.code, out.splitlines(), err.splitlines())

    return call
