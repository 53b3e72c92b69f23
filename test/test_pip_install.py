# SPDX-License-Identifier: Apache-2.0
"""`pip install` without ROS, and a colcon build whose dependencies have other names."""

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
SITE = Path(sysconfig.get_paths()['purelib'])
# what is imported under another name than it is installed by
DISTRIBUTIONS = {'cv2': 'opencv-python-headless', 'PIL': 'pillow', 'yaml': 'pyyaml'}
WITH_PYDANTIC = {'annotated_types', 'typing_extensions'}
EXTRAS = {'open3d', 'torchvision', 'ultralytics', 'rosbags', 'lz4'}
EXTRAS |= {'fastapi', 'starlette', 'uvicorn', 'orjson', 'prometheus_client'}
EXTRAS |= {'grpc', 'grpc_health', 'grpc_reflection', 'google'}
EXTRAS |= {'onnx', 'onnxruntime', 'onnxscript'}
OF_ROS = re.compile(r'ros|rcl|rmw|ament|cv_bridge|message_filters|.*_(msgs|interfaces|srvs)')


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A copy of the sources, for both tools write beside setup.py."""
    place = tmp_path_factory.mktemp('checkout') / 'vizion3d_ros'
    hidden = shutil.ignore_patterns('.*', '__pycache__', '*.egg-info', 'build', 'out', 'test')
    shutil.copytree(ROOT, place, ignore=hidden)
    return place


@pytest.fixture(scope='module')
def without_ros(tmp_path_factory, checkout):
    """A virtual environment with the package by pip, and what it needs but no ROS."""
    venv = tmp_path_factory.mktemp('pip') / 'v'
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', venv], check=True)
    place = Path(f'lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages')
    for entry in SITE.iterdir():
        if not OF_ROS.match(entry.name) and entry.suffix not in ('.pth', '.egg-link'):
            (venv / place / entry.name).symlink_to(entry)
    offline = ['--no-deps', '--no-build-isolation', '--no-index', '--quiet']
    pip = [sys.executable, '-m', 'pip', '--python', venv / 'bin' / 'python', 'install']
    subprocess.run([*pip, *offline, checkout], check=True, env=plain())
    return venv


def plain(**variables):
    """Return an empty environment, but for where programs are."""
    return {'PATH': os.defpath, **variables}


def commands(folder):
    return {
        path.name for path in folder.iterdir() if 'vizion3d' in path.read_text(errors='replace')
    }


def test_pip_brings_one_command_that_works_in_an_empty_environment(without_ros, tmp_path):
    noise = np.random.default_rng(3).integers(0, 255, (120, 180), np.uint8)
    texture = cv2.GaussianBlur(noise, (0, 0), 1.0)
    cv2.imwrite(str(tmp_path / 'left.png'), texture[:, :160])
    cv2.imwrite(str(tmp_path / 'right.png'), texture[:, 20:])
    (tmp_path / 'calib.txt').write_text(
        'cam0=[100 0 80; 0 100 60; 0 0 1]\ncam1=[100 0 80; 0 100 60; 0 0 1]\n'
        'doffs=0\nbaseline=120\nwidth=160\nheight=120\nndisp=48\n'
    )
    line = ['stereo', 'left.png', 'right.png', '--calib', 'calib.txt', '--out', 'out']
    command = [without_ros / 'bin' / 'vizion3d_depth', *line]
    subprocess.run(command, cwd=tmp_path, env={}, check=True, capture_output=True, timeout=120)
    depth = np.load(tmp_path / 'out' / 'depth.npy')
    assert np.nanmedian(depth) == pytest.approx(100 * 0.12 / 20, rel=0.01)


def test_pip_puts_no_node_on_the_path(without_ros):
    ours = {'vizion3d_depth', 'vizion3d-serve-rest', 'vizion3d-serve-grpc'}
    listed = {path.name for path in (without_ros / 'bin').iterdir()}
    assert listed >= ours
    assert not listed & {'depth', 'recorder', 'stereo_node', 'mono_node', 'fetch_models'}


@pytest.mark.parametrize(
    'node', ['nodes.stereo_node', 'nodes.mono_node', 'nodes.service_node', 'testbed.recorder']
)
def test_a_node_without_ros_says_so_in_one_line(without_ros, node):
    command = [without_ros / 'bin' / 'python', '-m', f'vizion3d_ros.ros.{node}']
    done = subprocess.run(command, cwd='/', env=plain(), capture_output=True, text=True)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert 'no module rclpy' in done.stderr


def test_importing_a_node_without_ros_is_an_import_error(without_ros):
    code = 'import vizion3d_ros.ros.nodes.stereo_node'
    command = [without_ros / 'bin' / 'python', '-c', code]
    done = subprocess.run(command, cwd='/', env=plain(), capture_output=True, text=True)
    assert 'ModuleNotFoundError: ROS 2 is not here' in done.stderr


def test_what_pip_brings_is_what_is_imported(without_ros):
    metadata = next(without_ros.rglob('vizion3d_ros-*.dist-info/METADATA')).read_text()
    required = re.findall(r'^Requires-Dist: ([\w-]+)[^;\n]*$', metadata, re.MULTILINE)
    files = [p for p in (ROOT / 'vizion3d_ros').rglob('*.py') if is_free_of_ros(p)]
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_text())))
    names = {name.partition('.')[0] for node in nodes for name in imported(node)}
    names -= {*sys.stdlib_module_names, *WITH_PYDANTIC, *EXTRAS, 'vizion3d_ros'}
    assert {DISTRIBUTIONS.get(name, name) for name in names} == set(required)
    extras = ('open3d', 'annotation', 'bags', 'onnx', 'rest', 'grpc')
    assert all(f'Provides-Extra: {extra}\n' in metadata for extra in extras)


def is_free_of_ros(path):
    return 'ros' not in path.parent.parts and path.name not in ('launching.py', 'transport.py')


def imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) else []


def test_colcon_installs_every_executable_and_asks_for_no_distribution(checkout, tmp_path):
    pytest.importorskip('colcon_core')
    places = ['--build-base', 'b', '--install-base', 'i', '--merge-install', '--paths', checkout]
    colcon = [sys.executable, '-m', 'colcon', '--log-base', 'l', 'build', *places]
    done = subprocess.run(colcon, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    executables = tmp_path / 'i' / 'lib' / 'vizion3d_ros'
    assert commands(executables) >= {'stereo_node', 'mono_node', 'depth', 'vizion3d_depth'}
    requires = next((tmp_path / 'i').rglob('requires.txt')).read_text()
    assert requires.split('\n\n')[0].split() == ['setuptools']
    path = os.pathsep.join(map(str, [*(tmp_path / 'i').rglob('site-packages'), SITE]))
    command = [sys.executable, executables / 'depth', '--help']
    own = {**os.environ, 'PYTHONPATH': path}
    assert subprocess.run(command, env=own, capture_output=True).returncode == 0
