# SPDX-License-Identifier: Apache-2.0
"""
What the machine itself must offer before .venv can be built, and how to get what is missing.

Standard library only, and readable by older Pythons than we support, so that they get a sentence
instead of a syntax error. With `--apt-list` it prints the missing apt packages and nothing else.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

# The Python versions for which every pinned wheel exists; ROS's are for Linux on x86-64 alone.
OLDEST, NEWEST = (3, 10), (3, 13)
GLIBC = (2, 35)

TOOLS = {'gcc': 'gcc', 'g++': 'g++', 'make': 'make'}
# soname -> apt package; opencv and open3d load them
LIBRARIES = {
    'libusb-1.0.so.0': 'libusb-1.0-0',
    'libGL.so.1': 'libgl1',
    'libgomp.so.1': 'libgomp1',
}


def problems():
    """Return a sentence for everything that stops us here; empty if we can build."""
    found = _platform_problems() or _python_problems()
    if found:
        return found
    missing = missing_packages()
    return [*_describe(missing), *_other_interpreter(missing)] if missing else []


def missing_packages():
    """Return what is missing as {apt package: what it is for}."""
    missing = {}
    if not all(importlib.util.find_spec(name) for name in ('venv', 'ensurepip')):
        missing[_python_package('venv')] = 'creates the virtual environment'
    if not has_headers(sysconfig.get_paths()['include']):
        missing[_python_package('dev')] = 'Python.h, to build the interfaces'
    for tool, package in TOOLS.items():
        if not shutil.which(tool):
            missing[package] = 'builds the interfaces'
    for soname, package in LIBRARIES.items():
        if not loadable(soname):
            missing[package] = f'{soname}, a library that open3d or OpenCV loads'
    return missing


def has_headers(include):
    """Tell whether the folder `include` holds Python's C headers."""
    return (Path(include) / 'Python.h').is_file()


def loadable(soname):
    """Tell whether the dynamic linker finds the library `soname`."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def apt_line(packages):
    """Return the one command that installs `packages`."""
    return 'sudo apt-get install -y ' + ' '.join(sorted(packages))


def _platform_problems():
    system = f'{platform.system()} {platform.machine()}'
    if system != 'Linux x86_64':
        return [
            f'The ROS 2 wheels exist for Linux on x86-64, this is {system}: build with colcon on '
            'a ROS distribution instead (README, "On a ROS distribution").'
        ]
    name, _, version = os.confstr('CS_GNU_LIBC_VERSION').partition(' ')
    if tuple(map(int, version.split('.'))) < GLIBC:
        return [f'{name} {version} is too old for the wheels: 2.35 (Ubuntu 22.04) or newer.']
    return []


def _python_problems():
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return []
    text = (
        f'{sys.executable} is Python {platform.python_version()}, the wheels are for '
        f'{_dotted(OLDEST)} to {_dotted(NEWEST)}.'
    )
    usable = [n for n in _versioned_names() if shutil.which(n) and _is_complete(n)]
    if usable:
        return [f'{text} Choose another: make PYTHON={usable[0]} ...']
    return [f'{text} Install one of them and choose it: make PYTHON=python{_dotted(NEWEST)} ...']


def _python_package(part):
    """Name the apt package `part` (venv, dev) of this interpreter."""
    system = Path('/usr/bin/python3')
    own = f'python{sys.version_info[0]}.{sys.version_info[1]}'
    is_default = system.exists() and system.resolve().name == own
    return f'python3-{part}' if is_default else f'{own}-{part}'


def _describe(missing):
    lines = [f'missing: {package} ({purpose})' for package, purpose in sorted(missing.items())]
    return [*lines, apt_line(missing)]


def _other_interpreter(missing):
    """Name an interpreter that has the headers this one lacks."""
    if _python_package('dev') not in missing:
        return []
    here = os.path.realpath(sys.executable)
    for name in ['/usr/bin/python3', *_versioned_names()]:
        path = shutil.which(name)
        if path and os.path.realpath(path) != here and _is_complete(path):
            return [f'Or use {path}, which has its headers: make PYTHON={path} ...']
    return []


def _is_complete(python):
    """Tell whether another interpreter is of a usable version and has headers and venv."""
    script = (
        'import sys, sysconfig, ensurepip, venv; '
        f'print({OLDEST} <= sys.version_info[:2] <= {NEWEST}, sysconfig.get_paths()["include"])'
    )
    done = subprocess.run([python, '-c', script], capture_output=True, text=True, check=False)
    usable, _, include = done.stdout.strip().partition(' ')
    return usable == 'True' and has_headers(include)


def _versioned_names():
    return [f'python3.{minor}' for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]


def _dotted(version):
    return '.'.join(map(str, version))


if __name__ == '__main__':
    if sys.argv[1:] == ['--apt-list']:
        print(*sorted(missing_packages()))
    else:
        found = problems()
        print('\n'.join(found) or 'Nothing is missing.')
        sys.exit(bool(found))
