# SPDX-License-Identifier: Apache-2.0
"""
What the machine must offer before .venv can be built, and what of it is missing.

Standard library only, and readable by older Pythons than we support, so that they get a sentence
instead of a syntax error.
"""

from __future__ import annotations

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

TOOLS = ('gcc', 'g++', 'make')  # named like their packages
# soname -> apt package, the same on Debian 12 and 13, Ubuntu 22.04 and 24.04: what open3d loads.
# Nothing else in .venv needs a library that a minimal Debian lacks.
LIBRARIES = {
    'libEGL.so.1': 'libegl1',
    'libGL.so.1': 'libgl1',
    'libX11.so.6': 'libx11-6',
    'libidn2.so.0': 'libidn2-0',
    'libudev.so.1': 'libudev1',
    'libusb-1.0.so.0': 'libusb-1.0-0',
}


def problems():
    """Return a sentence for what no package can cure: the platform, or the Python, is another."""
    return _platform_problems() or _python_problems()


def missing_tools(unpacked):
    """Return {apt package: purpose} of what neither the machine has nor the folder `unpacked`."""
    missing = {}
    own = 'python{}.{}'.format(*sys.version_info)
    includes = (sysconfig.get_paths()['include'], unpacked / 'usr' / 'include' / own)
    if not any(has_headers(include) for include in includes):
        missing[python_package('dev')] = 'Python.h'
    for tool in TOOLS:
        if not shutil.which(tool) and not (unpacked / 'usr' / 'bin' / tool).exists():
            missing[tool] = 'builds the interfaces'
    return missing


def missing_libraries():
    """Return {soname: apt package} of the libraries that the machine itself does not have."""
    # in a process of its own, for LD_LIBRARY_PATH may lead to those that .venv has
    script = (
        'import ctypes, sys\n'
        'for name in sys.argv[1:]:\n'
        '    try: ctypes.CDLL(name)\n'
        '    except OSError: print(name)\n'
    )
    command = [sys.executable, '-I', '-S', '-c', script, *LIBRARIES]
    own = {name: value for name, value in os.environ.items() if name != 'LD_LIBRARY_PATH'}
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=True)
    return {soname: LIBRARIES[soname] for soname in done.stdout.split()}


def has_headers(include):
    """Tell whether the folder `include` holds Python's C headers."""
    return (Path(include) / 'Python.h').is_file()


def apt_line(packages):
    """Return the one command that installs `packages`."""
    return 'sudo apt-get install -y ' + ' '.join(sorted(packages))


def _platform_problems():
    system = f'{platform.system()} {platform.machine()}'
    if system != 'Linux x86_64':
        return [
            f'The ROS 2 wheels exist for Linux on x86-64, this is {system}: build with colcon on '
            'a ROS distribution instead (README, "Install on a robot").'
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
    usable = [n for n in _versioned_names() if shutil.which(n) and is_complete(n)]
    if usable:
        return [f'{text} Choose another: make PYTHON={usable[0]} ...']
    return [f'{text} Install one of them and choose it: make PYTHON=python{_dotted(NEWEST)} ...']


def python_package(part):
    """Name the apt package `part` (venv, dev) of this interpreter."""
    system = Path('/usr/bin/python3')
    own = f'python{sys.version_info[0]}.{sys.version_info[1]}'
    is_default = system.exists() and system.resolve().name == own
    return f'python3-{part}' if is_default else f'{own}-{part}'


def advice(missing):
    """Return the lines that tell a person how to get `missing`, {apt package: purpose}."""
    lines = [f'missing: {package} ({purpose})' for package, purpose in sorted(missing.items())]
    return [*lines, apt_line(missing), *_other_interpreter(missing)]


def _other_interpreter(missing):
    """Name an interpreter that has the headers this one lacks."""
    if python_package('dev') not in missing:
        return []
    here = os.path.realpath(sys.executable)
    for name in ['/usr/bin/python3', *_versioned_names()]:
        path = shutil.which(name)
        if path and os.path.realpath(path) != here and is_complete(path):
            return [f'Or use {path}, which has its headers: make PYTHON={path} ...']
    return []


def is_complete(python):
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
