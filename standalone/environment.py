# SPDX-License-Identifier: Apache-2.0
"""The virtual environment as files: where they are, what is damaged, what to run in it with."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / '.venv'
PYTHON = VENV / 'bin' / 'python'
LOGS = VENV / 'log'
SYSTEM = VENV / 'system'  # packages of the distribution, unpacked
# What a sourced ROS distribution, another environment, the calling make or the user's pip settings
# would push into ours.
FOREIGN = (
    *('PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV', '_ROS_WHEELS_BOOTSTRAP_COMPLETE'),
    *('AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH', 'COLCON_PREFIX_PATH', 'LD_LIBRARY_PATH'),
    *('ROS_DISTRO', 'ROS_VERSION', 'ROS_PYTHON_VERSION', 'RMW_IMPLEMENTATION'),
    *('MAKEFLAGS', 'MFLAGS', 'MAKELEVEL', 'DESTDIR'),
    *('PIP_USER', 'PIP_TARGET', 'PIP_PREFIX'),
)

# The include folders of the machine on which the ROS wheels were built, of any CPython.
_BUILD_MACHINE = r'/opt/python/cp\d+-cp\d+t?'
_PYTHON_INCLUDE = re.compile(_BUILD_MACHINE + r'/include/python[\d.]+t?')
_NUMPY_INCLUDE = re.compile(_BUILD_MACHINE + r'/lib/[^;"\s]*/numpy/(?:_core|core)/include')


def site_packages():
    """Return the environment's folder of Python packages."""
    return VENV / 'lib' / f'python{sys.version_info[0]}.{sys.version_info[1]}' / 'site-packages'


def has_cache():
    """Tell whether pip can write to its cache; a home may be read-only, or nowhere."""
    home = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    cache = os.environ.get('PIP_CACHE_DIR') or f'{home}/pip'
    try:
        os.makedirs(cache, exist_ok=True)
    except OSError:
        return False
    return os.access(cache, os.W_OK)


def digest(*parts):
    """Return a hash of `parts`: the content of files given as Path, the text of anything else."""
    result = hashlib.sha256()
    for part in parts:
        is_file = isinstance(part, Path) and part.is_file()
        result.update(part.read_bytes() if is_file else str(part).encode())
        result.update(b'\0')
    return result.hexdigest()


def damaged_distributions(site):
    """List the .dist-info folders in `site` of which a recorded file, or the record, is gone."""
    return [info for info in sorted(site.glob('*.dist-info')) if not _is_whole(info)]


def _is_whole(info):
    try:
        record = (info / 'RECORD').read_text(encoding='utf-8')
    except OSError:
        return False
    names = (line.rsplit(',', 2)[0].strip('"') for line in record.splitlines())
    # os.path: with 50 000 files pathlib would cost seconds
    return all(n.endswith('.pyc') or os.path.exists(f'{info.parent}/{n}') for n in names)


def forget_damaged(site):
    """Let pip install damaged distributions again, by removing its memory of them."""
    for info in damaged_distributions(site):
        shutil.rmtree(info)


def localize_includes(cmake_text, python_include, numpy_include):
    """Replace the include folders of the wheels' build machine by ours."""
    text = _PYTHON_INCLUDE.sub(lambda _: str(python_include), cmake_text)
    return _NUMPY_INCLUDE.sub(lambda _: str(numpy_include), text)


def localize_cmake_files(share, python_include, numpy_include):
    """Apply `localize_includes` to every CMake file below `share`."""
    for path in share.rglob('*.cmake'):
        text = path.read_text(encoding='utf-8')
        changed = localize_includes(text, python_include, numpy_include)
        if changed != text:
            path.write_text(changed, encoding='utf-8')


def environment():
    """Return the variables to run with: the user's without the foreign ones, .venv in front."""
    own = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    own['PATH'] = f'{VENV / "bin"}{os.pathsep}{own.get("PATH", os.defpath)}'
    own['AMENT_PREFIX_PATH'] = own['CMAKE_PREFIX_PATH'] = str(VENV)
    own['COLCON_HOME'] = str(VENV / 'colcon')
    return own
