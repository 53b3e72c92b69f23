# SPDX-License-Identifier: Apache-2.0
"""The types in stubs/ against the ROS that they are of."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

pytest.importorskip('rclpy.event_handler', reason='the types are those of Jazzy')

STUBS = Path(__file__).resolve().parents[2] / 'stubs'
# What the types share, and what .venv lacks: test_launch.py shows how we use it.
NOT_HERE = {'ros_message', 'launch', 'launch_ros'}
TREES = {
    '.'.join(path.relative_to(STUBS).with_suffix('').parts): ast.parse(path.read_text())
    for path in sorted(STUBS.rglob('*.pyi'))
}
MODULES = [name for name in TREES if name.split('.')[0] not in NOT_HERE]


def definitions(module):
    """Every class and function of a stub under its dotted name, also those inside classes."""
    waiting = [('', TREES[module])]
    while waiting:
        prefix, owner = waiting.pop()
        for node in owner.body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                yield f'{prefix}{node.name}', node
            if isinstance(node, ast.ClassDef):
                waiting.append((f'{prefix}{node.name}.', node))


def real(module, name):
    found = importlib.import_module(module.removesuffix('.__init__'))
    for part in name.split('.'):
        found = getattr(found, part)
    return found


def fields(node):
    """What a message is made of, in order."""
    annotated = [line for line in node.body if isinstance(line, ast.AnnAssign)]
    return [line.target.id for line in annotated if 'ClassVar' not in ast.unparse(line.annotation)]


def takes(function, arguments):
    """Whether a function has these arguments; one that hides its own has any."""
    own = inspect.signature(function).parameters
    hidden = any(each.kind is each.VAR_KEYWORD for each in own.values())
    return hidden or arguments - {'cls'} <= set(own)


@pytest.mark.parametrize('module', MODULES)
def test_ros_has_what_the_stub_says(module):
    for name, node in definitions(module):
        found = real(module, name)
        if isinstance(node, ast.FunctionDef) and not isinstance(found, property):
            written = {each.arg for each in (*node.args.args, *node.args.kwonlyargs)}
            assert takes(found, written), f'{name} takes {inspect.signature(found)}'


@pytest.mark.parametrize('module', [m for m in MODULES if m.endswith(('.msg', '.srv'))])
def test_messages_have_the_fields_that_the_stub_says(module):
    for name, node in definitions(module):
        if 'Message' in [ast.unparse(base) for base in getattr(node, 'bases', [])]:
            assert fields(node) == list(real(module, name).get_fields_and_field_types()), name
