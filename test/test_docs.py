# SPDX-License-Identifier: Apache-2.0
"""What the documentation says is so: links, paths, names, defaults, code."""

import os
import pkgutil
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from annotated_types import Ge, Le
from pages import PAGES, ROOT, code_blocks, prose, tables, written_parameters

from vizion3d_ros.contracts.settings.annotation_node_settings import AnnotationNodeSettings
from vizion3d_ros.contracts.settings.mono_settings import MonoSettings
from vizion3d_ros.contracts.settings.service_settings import ServiceSettings
from vizion3d_ros.contracts.settings.stereo_settings import StereoSettings

MOST_README_BYTES = 8000
NODES = {
    'stereo': StereoSettings,
    'mono': MonoSettings,
    'annotation': AnnotationNodeSettings,
    'service': ServiceSettings,
}
SOURCE_ENDINGS = {
    *('.py', '.md', '.toml', '.xml', '.cfg', '.rst', '.yaml', '.rviz', '.srv', '.msg')
}
# What a reader has or gets, and not the repository.
ELSEWHERE = {
    *('calib.txt', 'pip.conf', 'stereo.yaml', 'utils.py'),
    *('left_right.yaml', 'left.yaml', 'right.yaml'),
}
MADE = ('out/', '.venv', 'build/', 'install/', 'path/', '~', '/', '$')
# What the reports on /diagnostics are called.
TASKS = {
    'sync',
    'input',
    'lifecycle',
    'calibration',
    'scale',
    'pictures',
    'masks',
    'output',
    'backend',
    'clock',
    'requests',
    'web',
}

each_page = pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page):
    """The marks that a page's headings get."""
    headings = re.findall(r'^#+ (.*)$', prose(page), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


@cache
def file_names():
    """The name of every file of the repository."""
    names = set()
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith('.') and name != 'build']
        names |= {Path(folder, file).name for file in files}
    return names


# --- links and paths ---------------------------------------------------------------------------


def test_the_readme_is_short():
    assert len((ROOT / 'README.md').read_bytes()) <= MOST_README_BYTES


@each_page
def test_links_lead_somewhere(page):
    broken = []
    for link in re.findall(r'\]\(([^)\s]+)\)', prose(page)):
        path, _, anchor = link.partition('#')
        target = (page.parent / path).resolve() if path else page
        if '://' in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [ROOT / 'README.md']
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != '.md':
            continue
        reached.add(page)
        links = re.findall(r'\]\(([^)#\s]+)', page.read_text())
        waiting += [(page.parent / link).resolve() for link in links if '://' not in link]
    assert {page for page in PAGES if 'networks' not in page.parts} <= reached


@each_page
def test_paths_in_backticks_exist(page):
    quoted = re.findall(r'`([\w.*/-]+)`', prose(page))
    assert [path for path in quoted if not is_there(path)] == []


def is_there(path):
    """Whether a path of the repository is there; what is no such path counts as there."""
    if path in ELSEWHERE or path.startswith(MADE):
        return True
    if '/' in path and ((ROOT / path.split('/')[0]).exists() or path.endswith('/')):
        return any(ROOT.glob(path))
    named = Path(path).suffix in SOURCE_ENDINGS and '*' not in path
    return not named or Path(path).name in file_names()


def test_every_folder_of_the_package_is_on_the_map():
    package = ROOT / 'vizion3d_ros'
    folders = {path.parent for depth in ('*', 'ros/*') for path in package.glob(f'{depth}/*.py')}
    text = (ROOT / 'CONTRIBUTING.md').read_text()
    named = [f'`{folder.relative_to(ROOT)}/`' for folder in sorted(folders)]
    assert [name for name in named if name not in text] == []


# --- names and defaults ------------------------------------------------------------------------


def declared_parameters(nodes):
    from vizion3d_ros.ros.parameters import fields

    return {(who, name): field for who, model in nodes.items() for name, field in fields(model)}


@pytest.fixture
def nodes():
    pytest.importorskip('rclpy')
    from vizion3d_ros.ros.testbed.play_pair import PlayerSettings
    from vizion3d_ros.ros.testbed.recorder import RecorderSettings
    from vizion3d_ros.ros.testbed.synthetic_rig import RigSettings

    testbed = {'synthetic_rig': RigSettings, 'play_pair': PlayerSettings}
    return {**NODES, **testbed, 'recorder': RecorderSettings}


def test_parameters_are_those_that_the_nodes_declare(nodes):
    declared = {key: field.default for key, field in declared_parameters(nodes).items()}
    assert {
        key: yaml.safe_load(text) for key, (text, _) in written_parameters().items()
    } == declared


def test_ranges_of_parameters_are_those_that_the_nodes_declare(nodes):
    documented = written_parameters()
    for key, field in declared_parameters(nodes).items():
        limits = {type(rule): rule for rule in field.metadata}
        if Ge in limits and Le in limits and field.annotation in (int, float):
            low, high = re.findall(r'[-\d.e]+', documented[key][1])[:2]
            assert (float(low), float(high)) == (limits[Ge].ge, limits[Le].le), key


def test_meanings_of_parameters_are_those_that_the_nodes_declare(nodes):
    declared = declared_parameters(nodes)
    rows = [row for row in tables('parameters.md') if len(row) == 5 and row[0] != 'parameter']
    for name, of, _, _, meaning in rows:
        for who in of.split(', '):
            field = declared[who, name.strip('`')]
            fixed = ' (fixed)' if (field.json_schema_extra or {}).get('fixed') else ''
            assert meaning.replace('`', '') == f'{field.description}{fixed}', (who, name)


def test_topics_are_those_of_the_nodes():
    topics = pytest.importorskip('vizion3d_ros.ros.stream.topics')
    code = {
        *topics.STEREO_INPUTS,
        *topics.STEREO_OUTPUTS,
        *topics.MONO_INPUTS,
        *topics.MONO_OUTPUTS,
        *topics.ANNOTATION_OUTPUTS,
        *(name for names in topics.ANNOTATION_CLOUDS.values() for name in names),
        *(name for names in topics.ANNOTATION_OBJECTS.values() for name in names),
    }
    named = ' '.join(row[0] for row in tables('topics.md'))
    assert set(re.findall(r'`([\w/]+)`', named)) - TASKS == code


def test_services_are_those_of_the_interfaces():
    folder = ROOT / 'vizion3d_interfaces' / 'srv'
    names = {re.sub(r'(?<=.)(?=[A-Z])', '_', path.stem).lower() for path in folder.iterdir()}
    names = names - {'run_object_mask_annotation3_d'} | {'annotate'}
    rows = [row[0] for row in tables('services.md') if row[0].startswith('`~')]
    documented = {row.split('`')[1] for row in rows if '(std_srvs/' not in row}
    assert documented == {f'~/{name}' for name in names}


def test_the_public_api_is_complete():
    declared = (ROOT / 'QUALITY_DECLARATION.md').read_text()
    for part in ('vizion3d_interfaces', 'vizion3d_ros.stereo', 'vizion3d_ros.lifting', '_depth'):
        assert part in declared


def test_checkpoints_are_those_that_are_known():
    from vizion3d_ros.engine.weights.names import KNOWN

    text = (ROOT / 'docs' / 'backends.md').read_text()
    named = re.findall(r'`([\w-]+)`', text)
    families = {known.name.rpartition('-')[0] for known in KNOWN}
    assert all(any(name.startswith(family) for name in named) for family in families)
    assert {known.name for known in KNOWN if 'metric' not in known.name} <= set(named)


# --- code --------------------------------------------------------------------------------------


@each_page
def test_python_compiles(page):
    for block in code_blocks(page, 'python'):
        compile(block, str(page), 'exec')


@each_page
def test_names_of_the_package_can_be_imported(page):
    pytest.importorskip('rclpy')
    for name in set(re.findall(r'\bvizion3d_ros(?:\.\w+)+', page.read_text())):
        pkgutil.resolve_name(name)


@each_page
def test_yaml_is_read(page):
    for block in code_blocks(page, 'yaml'):
        assert yaml.safe_load(block)
