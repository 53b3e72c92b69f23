# SPDX-License-Identifier: Apache-2.0
"""What a machine lacks is named, with the one line that gets it."""

import ctypes.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def preflight(script):
    return script('preflight')


def test_what_is_missing_ends_in_one_apt_line(preflight, monkeypatch, tmp_path):
    monkeypatch.setattr(preflight.shutil, 'which', lambda tool: None if tool == 'g++' else tool)
    monkeypatch.setattr(preflight, 'has_headers', lambda include: False)
    monkeypatch.setattr(preflight, 'is_complete', lambda python: False)
    missing = preflight.missing_tools(tmp_path)
    assert preflight.advice(missing)[-1].startswith('sudo apt-get install -y g++ python3')


def test_what_was_unpacked_is_not_missing(preflight, monkeypatch, tmp_path):
    monkeypatch.setattr(preflight.shutil, 'which', lambda tool: None)
    monkeypatch.setattr(preflight.sysconfig, 'get_paths', lambda: {'include': '/nowhere'})
    headers = 'usr/include/python{}.{}/Python.h'.format(*sys.version_info)
    for name in ('usr/bin/gcc', 'usr/bin/g++', 'usr/bin/make', headers):
        assert preflight.missing_tools(tmp_path)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert preflight.missing_tools(tmp_path) == {}


def test_python_without_headers_is_sent_to_one_that_has_them(preflight, monkeypatch, tmp_path):
    monkeypatch.setattr(preflight, 'has_headers', lambda include: include == '/other')
    monkeypatch.setattr(preflight, 'is_complete', lambda python: python == '/opt/python3.13')
    monkeypatch.setattr(preflight.shutil, 'which', lambda tool: f'/opt/{tool}')
    advice = preflight.advice(preflight.missing_tools(tmp_path))
    assert 'make PYTHON=/opt/python3.13' in advice[-1]


@pytest.mark.parametrize('version', [(3, 9, 2), (3, 14, 0)])
def test_python_without_wheels_is_refused(preflight, monkeypatch, version):
    monkeypatch.setattr(preflight.sys, 'version_info', version)
    assert 'the wheels are for 3.10 to 3.13' in preflight.problems()[0]


def test_another_platform_is_refused(preflight, monkeypatch):
    monkeypatch.setattr(preflight.platform, 'machine', lambda: 'aarch64')
    assert 'this is Linux aarch64' in preflight.problems()[0]


def test_a_library_counts_as_the_machines_own_only_without_ours(preflight, monkeypatch, tmp_path):
    (tmp_path / 'libvizion3d_made_up.so').symlink_to(ctypes.util.find_library('m') or 'libm.so.6')
    monkeypatch.setattr(
        preflight, 'LIBRARIES', {'libvizion3d_made_up.so': 'libx', 'libm.so.6': 'c'}
    )
    monkeypatch.setenv('LD_LIBRARY_PATH', str(tmp_path))
    assert preflight.missing_libraries() == {'libvizion3d_made_up.so': 'libx'}


def test_it_needs_nothing_installed():
    """It runs before anything is: no site-packages, no environment."""
    code = 'import preflight; preflight.problems(); preflight.missing_libraries()'
    command = [sys.executable, '-S', '-c', code]
    own = {'PATH': os.defpath, 'PYTHONPATH': str(ROOT / 'standalone')}
    done = subprocess.run(command, env=own, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b'')
