# SPDX-License-Identifier: Apache-2.0
"""Rules that the tests keep themselves: they use no private name of the product."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
SCRIPTS = [
    path.stem for name in ('demo', 'standalone') for path in (TESTS.parent / name).glob('*.py')
]
PRODUCT = {'vizion3d_ros', 'demo', *SCRIPTS}
BY_TEXT = {'getattr', 'setattr', 'hasattr', 'delattr', 'object'}  # the last of mock.patch.object


def is_private(name):
    return name.startswith('_') and not name.startswith('__')


def is_product(module):
    return module.partition('.')[0] in PRODUCT


def imported(tree):
    """(name in this file, module it is from, node) of everything imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.partition('.')[0], alias.name, node
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f'{node.module}.{alias.name}', node


def owner(node):
    """The first name of a chain such as a.b[0].c(), or '' where there is none."""
    while node is not None and not isinstance(node, ast.Name):
        node = getattr(node, 'value', None) or getattr(node, 'func', None)
    return node.id if node else ''


def texts(call):
    """The names that setattr(x, 'name', y) and its like are given as text, without their path."""
    if getattr(call.func, 'attr', owner(call.func)) in BY_TEXT:
        for argument in call.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value.rpartition('.')[2]


def private_names(source):
    """
    Private names of whatever is not certainly the test's own or another library's, with lines.

    A local variable counts as the product's: what it holds cannot be told here.
    """
    tree = ast.parse(source)
    allowed = {name for name, module, _ in imported(tree) if not is_product(module)}
    allowed |= {'self', 'cls'}
    used = [(part, n) for _, m, n in imported(tree) if is_product(m) for part in m.split('.')]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and owner(node) not in allowed:
            used.append((node.attr, node))
        elif isinstance(node, ast.Call) and not (node.args and owner(node.args[0]) in allowed):
            used += [(name, node) for name in texts(node)]
    return [f'{name} in line {node.lineno}' for name, node in used if is_private(name)]


@pytest.mark.parametrize('path', sorted(TESTS.rglob('*.py')), ids=lambda path: path.stem)
def test_tests_use_no_private_name_of_the_product(path):
    assert private_names(path.read_text(encoding='utf-8')) == []


@pytest.mark.parametrize(
    'source',
    [
        'backend._run',
        'backend._run = stub',
        'module.Thing()._part',
        'things[0]._part',
        'from vizion3d_ros.stereo import _pipelines',
        'from vizion3d_ros.stereo import _pipelines as pipelines',
        'from vizion3d_ros import stereo as os\nos._pipelines',
        'import bootstrap\nbootstrap._pip()',
        "monkeypatch.setattr(stereo, '_pipelines', 1)",
        "monkeypatch.setattr('vizion3d_ros.stereo._pipelines', 1)",
        "getattr(thing, '_part')",
    ],
)
def test_each_way_to_a_private_name_is_seen(source):
    assert private_names(source)


@pytest.mark.parametrize(
    'source',
    [
        'self._node.x',
        'cls._made',
        'import os\nos._exit(1)',
        'thing.__dict__',
        "name.endswith('_padded')",
        "_, rest = 'a_b'.split('_b')",
    ],
)
def test_what_is_ones_own_or_of_elsewhere_is_let_alone(source):
    assert private_names(source) == []
