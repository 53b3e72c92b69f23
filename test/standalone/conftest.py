# SPDX-License-Identifier: Apache-2.0
"""The scripts that build .venv, working in a folder of the test's own."""

import importlib
import io
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch, tmp_path):
    """Return a function that imports a module of standalone/; it writes below tmp_path/venv."""
    monkeypatch.syspath_prepend(ROOT / 'standalone')
    places = {
        'environment': {'VENV': '', 'LOGS': 'log', 'SYSTEM': 'system'},
        'process': {'LOGS': 'log'},
        'distribution': {'APT': 'apt'},
        'toolchain': {'SYSTEM': 'system'},
        'libraries': {'VENV': '', 'OURS': 'libraries', 'PLACE': 'lib'},
        'bootstrap': {'VENV': '', 'STAMPS': 'stamps'},
    }
    for name, folders in places.items():
        module = importlib.import_module(name)
        for constant, folder in folders.items():
            monkeypatch.setattr(module, constant, tmp_path / 'venv' / folder)
    return importlib.import_module


@pytest.fixture
def job(script):
    """What a step gets: a lock and a line, here one in a log."""
    with script('process').locked() as lock:
        yield SimpleNamespace(lock=lock, line=script('progress').Line('a step', io.StringIO()))
