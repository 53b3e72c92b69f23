# SPDX-License-Identifier: Apache-2.0
"""
Compiler and Python's headers: the machine's own, or the distribution's unpacked in .venv/system.

GCC finds its parts relative to itself, and `--sysroot` has it take headers and libraries from the
folder it was unpacked into, so none has to be installed. pip comes from there too.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path

import distribution
import preflight
from environment import PYTHON, SYSTEM, environment
from process import StepError, run

LIBRARIES = 'lib/x86_64-linux-gnu'
PYTHON_NAME = f'python{sys.version_info[0]}.{sys.version_info[1]}'


def bring(job):
    """Install or unpack what is missing, or raise StepError with the line that a person types."""
    missing = preflight.missing_tools(SYSTEM)
    if not missing:
        return
    try:
        if not _install(missing, job):
            distribution.unpack(missing, SYSTEM, job)
            _link_libraries_of_machine()
    except StepError as error:
        raise StepError('\n'.join([str(error), *preflight.advice(missing)])) from error
    if still := preflight.missing_tools(SYSTEM):
        raise StepError('\n'.join(preflight.advice(still)))


def _install(missing, job):
    """Install `missing` if we may, after saying what for; tell whether that was done."""
    prefix = distribution.rights()
    if prefix is None:
        return False
    reasons = ', '.join(f'{package} ({purpose})' for package, purpose in sorted(missing.items()))
    print(f'\napt-get install {reasons}; {distribution.FORBID}=never forbids it.', flush=True)
    try:
        distribution.install(missing, prefix, job)
    except StepError as error:  # another apt at work, say
        print(f'{error}\nThe packages are unpacked below .venv instead.', flush=True)
        return False
    return True


def _link_libraries_of_machine():
    """Let the linker see the machine's own libraries in the folder it takes for the root."""
    target = SYSTEM / LIBRARIES
    target.mkdir(parents=True, exist_ok=True)
    for library in Path('/', LIBRARIES).glob('*.so*'):
        if not any((SYSTEM / usr / LIBRARIES / library.name).exists() for usr in ('', 'usr')):
            (target / library.name).symlink_to(library)
    loader = SYSTEM / 'lib64' / 'ld-linux-x86-64.so.2'
    if not loader.exists():
        loader.parent.mkdir(exist_ok=True)
        loader.symlink_to('/lib64/ld-linux-x86-64.so.2')


def variables():
    """Return the variables that a build needs to use what was unpacked; none if nothing was."""
    usr = SYSTEM / 'usr'
    if not usr.exists():
        return {}
    libraries = f'{usr / LIBRARIES}{os.pathsep}{SYSTEM / LIBRARIES}'
    if shutil.which('g++'):
        return {'LD_LIBRARY_PATH': libraries, 'CPATH': f'{usr}/include'}
    return {
        'LD_LIBRARY_PATH': libraries,
        'CC': f'{usr}/bin/gcc --sysroot={SYSTEM}',
        'CXX': f'{usr}/bin/g++ --sysroot={SYSTEM}',
        'PATH': f'{environment()["PATH"]}{os.pathsep}{usr}/bin',
    }


def cmake_options():
    """Return where CMake finds the Python that the modules are built for."""
    options = [f'-DPython3_EXECUTABLE={PYTHON}', '-DBUILD_TESTING=OFF']
    if python_include() == sysconfig.get_paths()['include']:
        return options
    library = SYSTEM / 'usr' / LIBRARIES / f'lib{PYTHON_NAME}.so'
    return [*options, f'-DPython3_INCLUDE_DIR={python_include()}', f'-DPython3_LIBRARY={library}']


def python_include():
    """Return the folder of Python.h."""
    own = sysconfig.get_paths()['include']
    unpacked = str(SYSTEM / 'usr' / 'include' / PYTHON_NAME)
    return own if preflight.has_headers(own) or not preflight.has_headers(unpacked) else unpacked


def bring_pip(job):
    """Give .venv its pip: Python's own, or that of the distribution's package of it."""
    if importlib.util.find_spec('ensurepip'):
        run([PYTHON, '-m', 'ensurepip'], 'pip.log', job)
        return
    package = preflight.python_package('venv')
    try:
        distribution.unpack([package], SYSTEM, job)
    except StepError as error:
        raise StepError('\n'.join([str(error), *preflight.advice({package: 'pip'})])) from error
    wheel = next((SYSTEM / 'usr').glob('share/python-wheels/pip-*.whl'))
    run([PYTHON, wheel / 'pip', 'install', '--no-index', wheel], 'pip.log', job)
