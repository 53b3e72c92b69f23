# SPDX-License-Identifier: Apache-2.0
"""
Build .venv, a ROS 2 environment of its own, from PyPI and this checkout: `make` calls it first.

Each step leaves a stamp with a hash of what it was built from. A step is repeated when that hash
changes or when files of it are gone, so a second call does nothing and a call after an accident
repairs. All is written below .venv; removing that folder undoes everything.

Usage: python3 standalone/bootstrap.py [--python-chosen]
    --python-chosen    build with the very interpreter that runs this; without it an environment
                       that exists keeps the interpreter that it was made with
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass

import preflight
from environment import (
    PYTHON,
    ROOT,
    VENV,
    StepError,
    damaged_distributions,
    digest,
    forget_damaged,
    localize_cmake_files,
    locked,
    run,
    site_packages,
)

HERE = ROOT / 'standalone'
INTERFACES = ROOT / 'vizion3d_interfaces'
STAMPS = VENV / 'stamps'
CHOSEN = '--python-chosen'


@dataclass(frozen=True)
class Step:
    """One part of the environment."""

    name: str
    title: str
    inputs: Callable[[], list]  # what its result depends on: texts, and files for their content
    is_whole: Callable[[], bool]
    build: Callable[[int], None]  # gets the lock's file descriptor


def main(arguments):
    """Bring .venv up to date and return the exit status."""
    _keep_interpreter(arguments)
    try:
        with locked() as lock:
            _bring_up_to_date(lock)
    except StepError as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nInterrupted; the next call goes on from here.', file=sys.stderr)
        return 130
    return 0


def _keep_interpreter(arguments):
    """Continue under the interpreter of the existing environment, unless one was chosen."""
    if CHOSEN in arguments or not PYTHON.exists():
        return
    if os.path.realpath(PYTHON) != os.path.realpath(sys.executable):
        os.execv(PYTHON.resolve(), [str(PYTHON.resolve()), __file__, CHOSEN])


def _bring_up_to_date(lock):
    key, checked = '', False
    for number, step in enumerate(STEPS, 1):
        key = digest(key, *step.inputs())  # chained: a step also depends on those before it
        if _read_stamp(step) == key and step.is_whole():
            continue
        if not checked:
            _check_system()
            checked = True
        print(f'[{number}/{len(STEPS)}] {step.title} ... ', end='', flush=True)
        start = time.monotonic()
        _stamp(step).unlink(missing_ok=True)
        step.build(lock)
        _stamp(step).write_text(key, encoding='utf-8')
        print(f'{time.monotonic() - start:.0f} s', flush=True)


def _check_system():
    if problems := preflight.problems():
        raise StepError('\n'.join(['This machine cannot build .venv yet.', *problems]))


def _stamp(step):
    return STAMPS / step.name


def _read_stamp(step):
    with contextlib.suppress(OSError):
        return _stamp(step).read_text(encoding='utf-8')
    return None


def _create_venv(lock):
    """Start over: moved, or without its python or pip, an environment is of no use."""
    if VENV.exists() and not STAMPS.exists():
        raise StepError(f'{VENV} was not made by this script. Move it away or remove it.')
    shutil.rmtree(VENV, ignore_errors=True)
    STAMPS.mkdir(parents=True)
    run([os.path.realpath(sys.executable), '-m', 'venv', VENV], 'venv.log', lock)


def _install_packages(lock):
    site = site_packages()
    forget_damaged(site)
    lists = ['-r', HERE / 'requirements.txt', '-c', HERE / 'constraints.txt']
    quiet = ['--no-input', '--disable-pip-version-check', '--progress-bar', 'off']
    run([PYTHON, '-m', 'pip', 'install', *quiet, *lists], 'packages.log', lock)
    numpy_include = site / 'numpy' / '_core' / 'include'
    localize_cmake_files(VENV / 'share', sysconfig.get_paths()['include'], numpy_include)
    _extend_import_path(site)


def _extend_import_path(site):
    """
    Let the environment find vizion3d_ros and the stand-ins, with nothing to source.

    The folders come last on the import path, so real packages would win over the stand-ins. The
    variable is for look-ups by ament_index_python.
    """
    variable = 'import os, sys; os.environ.setdefault("AMENT_PREFIX_PATH", sys.prefix)'
    lines = [VENV / 'build' / 'vizion3d_ros', HERE / 'packages', variable]
    (site / 'vizion3d_ros.pth').write_text('\n'.join(map(str, lines)) + '\n', encoding='utf-8')


def _colcon(package, path, *options):
    """Return a function that builds `package` into the environment, from nothing each time."""

    def build(lock):
        shutil.rmtree(VENV / 'build' / package, ignore_errors=True)
        shutil.rmtree(VENV / 'share' / package, ignore_errors=True)
        shutil.rmtree(site_packages() / package, ignore_errors=True)
        places = ['--merge-install', '--install-base', VENV, '--build-base', VENV / 'build']
        command = [PYTHON, '-m', 'colcon', '--log-base', VENV / 'log', 'build', '--paths', path]
        run([*command, *places, *options], f'{package}.log', lock)

    return build


def _package_inputs():
    """List what the installed package is made of; sources are linked, so only names count."""
    installed = [p for d in ('launch', 'config', 'rviz') for p in sorted((ROOT / d).glob('*'))]
    return [*map(str, installed), *(ROOT / n for n in ('package.xml', 'setup.cfg', 'setup.py'))]


RECIPE = ('requirements.txt', 'constraints.txt', 'environment.py', 'bootstrap.py')
CMAKE_OPTIONS = (f'-DPython3_EXECUTABLE={PYTHON}', '-DBUILD_TESTING=OFF')

STEPS = (
    Step(
        'venv',
        'virtual environment .venv',
        lambda: [str(ROOT), os.path.realpath(sys.executable), sys.version],
        lambda: PYTHON.exists() and (site_packages() / 'pip' / '__main__.py').exists(),
        _create_venv,
    ),
    Step(
        'packages',
        'packages from PyPI; gigabytes the first time, so minutes',
        lambda: [HERE / n for n in RECIPE],
        lambda: not damaged_distributions(site_packages()),
        _install_packages,
    ),
    Step(
        'interfaces',
        'vizion3d_interfaces',
        lambda: [part for p in sorted(INTERFACES.rglob('*')) for part in (str(p), p)],
        lambda: (site_packages() / 'vizion3d_interfaces' / '__init__.py').exists(),
        _colcon('vizion3d_interfaces', INTERFACES, '--cmake-args', *CMAKE_OPTIONS),
    ),
    Step(
        'package',
        'vizion3d_ros, linked to the sources',
        _package_inputs,
        lambda: (VENV / 'share' / 'vizion3d_ros' / 'package.xml').exists(),
        _colcon('vizion3d_ros', ROOT, '--symlink-install'),
    ),
)

if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
