# SPDX-License-Identifier: Apache-2.0
"""docs/faults.md: what it quotes is really said, and the tests that it names are there."""

import ast
import re
from functools import cache

import pytest
from pages import ROOT, tables

ROWS = [row for row in tables('faults.md') if row[0] != 'fault']
PLACE = '…'


def as_written(node):
    """A text of the source with PLACE for whatever is filled in; None for other nodes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return ''.join(as_written(value) or PLACE for value in node.values)
    return None


@cache
def texts():
    """All texts of the product, each on a line of its own."""
    trees = (ast.parse(path.read_text()) for path in (ROOT / 'vizion3d_ros').rglob('*.py'))
    found = (as_written(node) for tree in trees for node in ast.walk(tree))
    return '\n'.join(filter(None, found))


@cache
def known_tests():
    """Every test as file::name."""
    names = set()
    for path in (ROOT / 'test').rglob('test_*.py'):
        functions = re.findall(r'^def (test_\w+)', path.read_text(), re.MULTILINE)
        names |= {f'{path.name}::{function}' for function in functions}
    return names


def is_said(quote):
    """Whether the product has this text, filled in wherever the quote has PLACE."""
    parts = [re.escape(part) for part in quote.split(PLACE)]
    return re.search('[^\n]*'.join(parts), texts()) is not None


def test_there_are_rows_and_one_of_each_kind_is_not_said():
    assert len(ROWS) > 30
    assert not is_said('the camera is on fire')
    assert 'test_soak.py::test_nothing' not in known_tests()


@pytest.mark.parametrize('row', ROWS, ids=[row[0] for row in ROWS])
def test_a_fault_is_told_in_these_words_and_proven_by_a_test(row):
    _, seen, _, proof = row
    for quote in re.findall(r'`([^`]+)`', seen):
        assert is_said(quote), f'nothing says {quote!r}'
    assert proof in known_tests()
