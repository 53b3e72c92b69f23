# SPDX-License-Identifier: Apache-2.0
"""
Shared libraries that the machine lacks, in .venv/lib, where every process of .venv looks first.

Each comes from the distribution's own package, so it is the version that the machine would have.
As soon as the machine has one itself, ours goes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import distribution
import preflight
from environment import VENV
from process import StepError

OURS = VENV / 'libraries'
PLACE = VENV / 'lib'


def are_right():
    """Tell whether .venv has those libraries that the machine lacks, and no others."""
    missing = preflight.missing_libraries()
    return all((OURS / soname).exists() == (soname in missing) for soname in preflight.LIBRARIES)


def bring(job):
    """Fetch the missing ones with all that they need."""
    _remove()
    missing = preflight.missing_libraries()
    if not missing:
        return
    unpacked = VENV / 'unpacked'
    try:
        distribution.unpack(set(missing.values()), unpacked, job)
    except StepError as error:
        wanted = {package: f'{soname}, for open3d' for soname, package in missing.items()}
        raise StepError('\n'.join([str(error), *preflight.advice(wanted)])) from error
    _keep(missing, unpacked)
    shutil.rmtree(unpacked)


def _remove():
    for link in PLACE.glob('*.so*'):
        if link.is_symlink() and OURS in link.resolve().parents:
            link.unlink()
    shutil.rmtree(OURS, ignore_errors=True)


def _keep(sonames, unpacked):
    """Move `sonames` and what they load in turn to .venv; the rest, gigabytes, may go."""
    OURS.mkdir()
    for path in _closure(sonames, unpacked):
        shutil.copy2(path, OURS / path.name)
        (PLACE / path.name).symlink_to(OURS / path.name)


def _closure(sonames, unpacked):
    found = {path.name: path for path in unpacked.rglob('*.so*') if path.exists()}
    wanted = {found[soname] for soname in sonames}
    folders = os.pathsep.join(sorted({str(path.parent) for path in found.values()}))
    for path in list(wanted):
        own = {**os.environ, 'LD_LIBRARY_PATH': folders, 'LC_ALL': 'C'}
        done = subprocess.run(['ldd', path], env=own, capture_output=True, text=True, check=True)
        needed = re.findall(r'^\s*(\S+) => (\S+) \(', done.stdout, re.MULTILINE)
        wanted |= {found[name] for name, where in needed if str(unpacked) in where}
    return wanted
