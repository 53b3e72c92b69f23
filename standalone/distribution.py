# SPDX-License-Identifier: Apache-2.0
"""
Packages of Debian or Ubuntu: installed by who may, otherwise fetched and unpacked below .venv.

Both ways the distribution's own apt resolves, downloads and verifies. Unpacking needs no root: apt
keeps its lists and downloads in a folder of ours, and what the machine has already is left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess

from environment import VENV
from process import StepError, run
from progress import apt_stage

APT = VENV / 'apt'
FORBID = 'VIZION3D_APT'
PROXIES = ('http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY')


def rights():
    """Return what to put before a command that installs packages, or None if we may not."""
    wish = os.environ.get(FORBID, '')
    if wish not in ('', 'never'):
        raise StepError(f'{FORBID} is {wish!r}; "never" forbids apt-get install, unset allows it.')
    if wish == 'never' or not shutil.which('apt-get'):
        return None
    if os.geteuid() == 0:
        return []
    return _sudo()


def _sudo():
    """Return the call of a sudo that asks for no password, which would wait for nobody."""
    sudo = shutil.which('sudo')
    if not sudo or subprocess.run([sudo, '-n', 'true'], capture_output=True).returncode:
        return None
    kept = [f'{name}={os.environ[name]}' for name in PROXIES if name in os.environ]
    return [sudo, '-n', 'env', 'DEBIAN_FRONTEND=noninteractive', *kept]


def install(packages, prefix, job):
    """Install `packages` on the machine with the rights that `prefix` gives."""
    variables = {'DEBIAN_FRONTEND': 'noninteractive', 'LC_ALL': 'C'}
    update = [*prefix, 'apt-get', 'update']
    wanted = ['install', '-y', '--no-install-recommends', *sorted(packages)]
    run(update, 'apt-update.log', job, apt_stage, **variables)
    run([*prefix, 'apt-get', *wanted], 'apt-install.log', job, apt_stage, **variables)


def unpack(packages, folder, job):
    """Unpack `packages`, and what they need that the machine lacks, into `folder`."""
    if not shutil.which('apt-get') or not shutil.which('dpkg-deb'):
        raise StepError('There is no apt-get here to fetch them with.')
    for name in ('lists/partial', 'cache/archives/partial', 'tmp'):
        (APT / name).mkdir(parents=True, exist_ok=True)
    apt = ['apt-get', *_private(), '-y', '--no-install-recommends']
    variables = {'TMPDIR': str(APT / 'tmp'), 'LC_ALL': 'C'}
    run([*apt, 'update'], 'apt-update.log', job, apt_stage, **variables)
    fetch = [*apt, '--download-only', 'install', *sorted(packages)]
    run(fetch, 'apt-download.log', job, apt_stage, **variables)
    folder.mkdir(parents=True, exist_ok=True)
    for archive in sorted((APT / 'cache' / 'archives').glob('*.deb')):
        run(['dpkg-deb', '--extract', archive, folder], 'unpack.log', job)
    shutil.rmtree(APT)


def _private():
    """Return the options with which apt-get writes below .venv alone, as any user."""
    return [
        *('-o', f'Dir::State::lists={APT / "lists"}'),
        *('-o', f'Dir::Cache={APT / "cache"}'),
        *('-o', 'Debug::NoLocking=true'),
        *('-o', 'APT::Sandbox::User='),
    ]
