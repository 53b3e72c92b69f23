# SPDX-License-Identifier: Apache-2.0
"""
Build .venv, a ROS 2 environment of its own, from PyPI and this checkout: `make` calls it first.

Each step leaves a stamp with a hash of what it was built from. A step is repeated when that hash
changes or when files of it are gone, so a second call does nothing and a call after an accident
repairs. All is written below .venv, apart from a compiler, Python's headers and venv where root
installs them; removing that folder undoes everything.

Usage: python3 standalone/bootstrap.py [run|all] [--python-chosen]
    run, all           what the nodes and the demo need; that and what the tests need (default)
    --python-chosen    build with the very interpreter that runs this; without it an environment
                       that exists keeps the interpreter that it was made with
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

import libraries
import preflight
import toolchain
from environment import (
    PYTHON,
    ROOT,
    VENV,
    damaged_distributions,
    digest,
    forget_damaged,
    has_cache,
    localize_cmake_files,
    site_packages,
)
from process import StepError, explain, locked, run
from progress import Line, cmake_stage, pip_stage

HERE = ROOT / 'standalone'
INTERFACES = ROOT / 'vizion3d_interfaces'
VISION = HERE / 'interfaces' / 'vision_msgs'
STAMPS = VENV / 'stamps'
CHOSEN = '--python-chosen'
RUN = 'run'
PIP = 'pip==26.3'  # one that tells how much it has downloaded


@dataclass(frozen=True)
class Job:
    """What a step works with: the lock's descriptor, and the line that tells how far it is."""

    lock: int
    line: Line


@dataclass(frozen=True)
class Step:
    """One part of the environment."""

    name: str
    title: str
    inputs: Callable[[], list]  # what its result depends on: texts, and files for their content
    is_whole: Callable[[], bool]
    build: Callable[[Job], None]


def main(arguments):
    """Bring .venv up to date and return the exit status."""
    _keep_interpreter(arguments)
    try:
        if problems := preflight.problems():
            raise StepError('\n'.join(problems))
        with locked() as lock:
            _bring_up_to_date(STEPS if RUN in arguments else STEPS + CHECKS, lock)
    except StepError as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    except OSError as error:
        print(f'\n{explain(str(error))}', file=sys.stderr)
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
        os.execv(PYTHON.resolve(), [str(PYTHON.resolve()), __file__, *arguments, CHOSEN])


def _bring_up_to_date(steps, lock):
    key = ''
    for number, step in enumerate(steps, 1):
        key = digest(key, *step.inputs())  # chained: a step also depends on those before it
        if _read_stamp(step) == key and step.is_whole():
            continue
        job = Job(lock, Line(f'[{number}/{len(steps)}] {step.title}'))
        _stamp(step).unlink(missing_ok=True)
        step.build(job)
        _stamp(step).write_text(key, encoding='utf-8')
        job.line.done()


def _stamp(step):
    return STAMPS / step.name


def _read_stamp(step):
    with contextlib.suppress(OSError):
        return _stamp(step).read_text(encoding='utf-8')
    return None


def _create_venv(job):
    """Start over: moved, or without its python, an environment is of no use."""
    if VENV.exists() and not STAMPS.exists():
        raise StepError(f'{VENV} was not made by this script. Move it away or remove it.')
    # Looked up first: this may run by the python of an activated .venv, a link that goes with it.
    python = os.path.realpath(sys.executable)
    shutil.rmtree(VENV, ignore_errors=True)
    STAMPS.mkdir(parents=True)
    run([python, '-m', 'venv', '--without-pip', VENV], 'venv.log', job)


def _install_tools(job):
    toolchain.bring(job)
    toolchain.bring_pip(job)
    _pip(job, 'pip.log', PIP, '--upgrade')


def _install_packages(job):
    _install('requirements.txt', job)
    numpy_include = site_packages() / 'numpy' / '_core' / 'include'
    localize_cmake_files(VENV / 'share', toolchain.python_include(), numpy_include)
    _extend_import_path(site_packages())


def _install_checks(job):
    _install('requirements-checks.txt', job)


def _install(requirements, job):
    forget_damaged(site_packages())
    lists = ['-r', HERE / requirements, '-c', HERE / 'constraints.txt']
    _pip(job, 'packages.log', '--progress-bar', 'raw', *lists)


def _pip(job, log, *arguments):
    quiet = ['--no-input', '--disable-pip-version-check']
    cache = [] if has_cache() else ['--no-cache-dir']  # pip builds no wheel where it cannot write
    command = [PYTHON, '-m', 'pip', 'install', *quiet, *cache, *arguments]
    # a machine's /tmp may be too small for torch
    temporary = VENV / 'tmp'
    temporary.mkdir(exist_ok=True)
    run(command, log, job, pip_stage(site_packages()), TMPDIR=str(temporary))


def _extend_import_path(site):
    """
    Let the environment find vizion3d_ros and the stand-ins, with nothing to source.

    The folders come last on the import path, so real packages would win over the stand-ins. The
    variable is for look-ups by ament_index_python.
    """
    variable = 'import os, sys; os.environ.setdefault("AMENT_PREFIX_PATH", sys.prefix)'
    lines = [VENV / 'build' / 'vizion3d_ros', HERE / 'packages', variable]
    (site / 'vizion3d_ros.pth').write_text('\n'.join(map(str, lines)) + '\n', encoding='utf-8')


def _interfaces(title, folder):
    """Return the step that builds a package of messages."""
    name = folder.name

    def build(job):
        toolchain.bring(job)  # it may be gone since
        _colcon(name, folder, job, '--cmake-args', *toolchain.cmake_options())

    return Step(
        name,
        title,
        lambda: [part for p in sorted(folder.rglob('*')) for part in (str(p), p)],
        (site_packages() / name / '__init__.py').exists,
        build,
    )


def _build_package(job):
    _colcon('vizion3d_ros', ROOT, job, '--symlink-install')


def _colcon(package, path, job, *options):
    """Build `package` into the environment, from nothing each time."""
    for folder in (VENV / 'build', VENV / 'share', site_packages()):
        shutil.rmtree(folder / package, ignore_errors=True)
    places = ['--merge-install', '--install-base', VENV, '--build-base', VENV / 'build']
    command = [PYTHON, '-m', 'colcon', '--log-base', VENV / 'log', 'build', '--paths', path]
    shown = ['--event-handlers', 'console_direct+']
    log = f'{package}.log'
    run([*command, *places, *shown, *options], log, job, cmake_stage, **toolchain.variables())


def _package_inputs():
    """List what the installed package is made of; sources are linked, so only names count."""
    installed = [p for d in ('launch', 'config', 'rviz') for p in sorted((ROOT / d).glob('*'))]
    return [*map(str, installed), *(ROOT / n for n in ('package.xml', 'setup.cfg', 'setup.py'))]


def _recipe(requirements):
    names = (requirements, 'constraints.txt', 'environment.py', 'bootstrap.py')
    return [HERE / name for name in names]


def _packages_are_whole():
    return not damaged_distributions(site_packages())


STEPS = (
    Step(
        'venv',
        'virtual environment .venv',
        lambda: [str(ROOT), os.path.realpath(sys.executable), sys.version],
        PYTHON.exists,
        _create_venv,
    ),
    Step(
        'tools',
        'pip, compiler, headers',
        lambda: [PIP],
        (site_packages() / 'pip' / '__main__.py').exists,
        _install_tools,
    ),
    Step(
        'packages',
        'packages from PyPI',
        lambda: _recipe('requirements.txt'),
        _packages_are_whole,
        _install_packages,
    ),
    _interfaces('vision_msgs, which PyPI lacks', VISION),
    _interfaces('vizion3d_interfaces', INTERFACES),
    Step(
        'package',
        'vizion3d_ros, linked to the sources',
        _package_inputs,
        (VENV / 'share' / 'vizion3d_ros' / 'package.xml').exists,
        _build_package,
    ),
)
CHECKS = (
    Step(
        'checks',
        'open3d and tools of the tests',
        lambda: _recipe('requirements-checks.txt'),
        _packages_are_whole,
        _install_checks,
    ),
    Step('libraries', 'libraries of open3d', list, libraries.are_right, libraries.bring),
)

if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
