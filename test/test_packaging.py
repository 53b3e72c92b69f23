# SPDX-License-Identifier: Apache-2.0
"""What gets installed on a ROS distribution."""

import ast
import configparser
import runpy
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
INTERFACES = ROOT / 'vizion3d_interfaces'


@pytest.fixture(scope='module')
def setup_arguments():
    """Return the keywords that setup.py calls `setup` with."""
    import setuptools

    with pytest.MonkeyPatch.context() as patch:
        seen = {}
        patch.setattr(setuptools, 'setup', seen.update)
        patch.chdir(ROOT)
        runpy.run_path('setup.py')
    return seen


def test_every_launch_config_and_rviz_file_is_installed(setup_arguments):
    installed = {name for _, names in setup_arguments['data_files'] for name in names}
    present = {
        str(path.relative_to(ROOT))
        for folder in ('launch', 'config', 'rviz')
        for path in (ROOT / folder).glob('*')
        if path.is_file()
    }
    assert present and present <= installed
    assert 'package.xml' in installed


def test_the_marker_is_installed_and_empty(setup_arguments):
    folder = 'share/ament_index/resource_index/packages'
    assert (folder, ['resource/vizion3d_ros']) in setup_arguments['data_files']
    assert (ROOT / 'resource' / 'vizion3d_ros').read_bytes() == b''


def test_only_our_package_with_all_its_folders_is_installed(setup_arguments):
    folders = {path.parent for path in (ROOT / 'vizion3d_ros').rglob('*.py')}
    names = {'.'.join(folder.relative_to(ROOT).parts) for folder in folders}
    assert set(setup_arguments['packages']) == names


def test_the_page_of_the_rest_server_is_installed_with_the_licence_of_its_parts(setup_arguments):
    package = ROOT / 'vizion3d_ros'
    patterns = setup_arguments['package_data']['vizion3d_ros']
    installed = {path for pattern in patterns for path in package.glob(pattern)}
    present = {path for path in (package / 'doors/rest/page').rglob('*') if path.is_file()}
    assert package / 'doors/rest/page/three/LICENSE' in present
    assert present <= installed


def test_the_profiles_of_networks_of_others_are_installed(setup_arguments):
    package = ROOT / 'vizion3d_ros'
    patterns = setup_arguments['package_data']['vizion3d_ros']
    installed = {path for pattern in patterns for path in package.glob(pattern)}
    present = {*(package / 'engine/onnx/profiles').iterdir()}
    assert len(present) >= 4
    assert present <= installed


def test_every_node_has_a_module_with_main(setup_arguments):
    for entry in setup_arguments['entry_points']['console_scripts']:
        module, _, function = entry.partition('= ')[2].partition(':')
        path = ROOT / Path(*module.split('.')).with_suffix('.py')
        assert f'def {function}(' in path.read_text(encoding='utf-8'), entry


def test_nodes_land_where_ros2_run_looks():
    settings = configparser.ConfigParser()
    settings.read(ROOT / 'setup.cfg')
    assert settings['develop']['script_dir'] == '$base/lib/vizion3d_ros'
    assert settings['install']['install_scripts'] == '$base/lib/vizion3d_ros'
    assert settings['build_scripts']['executable'] == '/usr/bin/env python3'


@pytest.mark.parametrize(
    ('folder', 'build_type'), [(ROOT, 'ament_python'), (INTERFACES, 'ament_cmake')]
)
def test_package_xml_is_format_3(folder, build_type):
    package = ElementTree.parse(folder / 'package.xml').getroot()
    assert package.get('format') == '3'
    assert package.findtext('license') == 'Apache-2.0'
    assert package.findtext('export/build_type') == build_type


# Imported, but no ROS distribution has a key that fits: package.xml says how to get them.
FROM_PIP = {
    *('pydantic', 'annotated_types', 'typing_extensions', 'torch', 'open3d'),
    *('torchvision', 'ultralytics'),
}
FROM_PIP |= {'fastapi', 'starlette', 'uvicorn', 'orjson', 'prometheus_client'}  # the servers
FROM_PIP |= {'rosbags', 'lz4', 'ray', 'rerun'}  # bags, the example of many, view
FROM_PIP |= {'torchvision', 'ultralytics'}  # segmenters, of which one is enough
FROM_PIP |= {'grpc', 'grpc_health', 'grpc_reflection', 'google'}
FROM_PIP |= {'onnx', 'onnxruntime', 'onnxscript'}
KEYS = {'numpy': 'python3-numpy', 'cv2': 'python3-opencv', 'yaml': 'python3-yaml'}
KEYS |= {'PIL': 'python3-pil', 'hypothesis': 'python3-hypothesis'}
KEYS |= {'pytest': 'python3-pytest', 'setuptools': 'python3-setuptools', 'tqdm': 'python3-tqdm'}
# Not imported: command lines of the README, and what launch files start.
RUN_ONLY = {'ros2launch', 'rviz2', 'ros2bag', 'tf2_ros'}


def dependencies(*folders):
    """Keys of everything that the Python files of some folders import from elsewhere."""
    files = [path for folder in folders for path in (ROOT / folder).rglob('*.py')]
    beside = [
        path
        for folder in ('demo', 'standalone', 'benchmarks')
        for path in (ROOT / folder).glob('*.py')
    ]
    own = {path.stem for path in (*files, *beside)} | {'vizion3d_ros'}
    names = set()
    for node in (node for path in files for node in ast.walk(ast.parse(path.read_text()))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.partition('.')[0])
    return {KEYS.get(name, name) for name in names - own - FROM_PIP - sys.stdlib_module_names}


def test_package_xml_names_what_is_imported_and_nothing_else():
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    run, test = ({e.text for e in package.iter(f'{kind}_depend')} for kind in ('exec', 'test'))
    assert run - RUN_ONLY == dependencies('vizion3d_ros', 'launch')
    assert test == dependencies('test') - run


def test_both_packages_and_setup_py_agree_on_the_version(setup_arguments):
    packages = [ElementTree.parse(d / 'package.xml').getroot() for d in (ROOT, INTERFACES)]
    versions = {package.findtext('version') for package in packages}
    assert versions == {setup_arguments['version']}


def test_every_interface_is_generated():
    listed = (INTERFACES / 'CMakeLists.txt').read_text(encoding='utf-8')
    files = [*INTERFACES.glob('srv/*.srv'), *INTERFACES.glob('msg/*.msg')]
    assert files
    assert not [f.name for f in files if f'{f.parent.name}/{f.name}' not in listed]
