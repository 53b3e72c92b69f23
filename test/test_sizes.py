# SPDX-License-Identifier: Apache-2.0
"""The rules of the house about sizes: files, functions, folders."""

import ast
import statistics
import tokenize

import pytest
from source_tree import FUNCTION, MODULES, PACKAGE, ROOT, TREES, functions

MAX_LINES, MAX_NETWORK_LINES = 300, 400
MEDIAN_FUNCTION, P90_FUNCTION, MAX_FUNCTION = 8, 25, 50
MAX_MODULES = 12

SCRIPTS = [
    path
    for folder in ('vizion3d_ros', 'test', 'demo', 'benchmarks', 'docs', 'launch', 'standalone')
    for path in sorted((ROOT / folder).rglob('*.py'))
    if not any(part.startswith('.') for part in path.relative_to(ROOT).parts)
    and '_pb2' not in path.name  # generated
]
SILENT = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENCODING, tokenize.ENDMARKER),
}


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize('path', SCRIPTS, ids=relative)
def test_files_are_short_and_carry_the_licence(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= (MAX_NETWORK_LINES if 'networks' in path.parts else MAX_LINES)
    assert any('SPDX-License-Identifier: Apache-2.0' in line for line in lines[:2])


def test_folders_are_small():
    folders = {path.parent for path in MODULES.values()}
    counts = {
        folder.relative_to(PACKAGE).as_posix(): len([*folder.glob('*.py')]) - 1
        for folder in folders
    }
    crowded = {name: count for name, count in counts.items() if count > MAX_MODULES}
    assert crowded == {}


def code_lines(path):
    """Line numbers that hold code: no blank line, no comment."""
    with tokenize.open(path) as source:
        tokens = [t for t in tokenize.generate_tokens(source.readline) if t.type not in SILENT]
    return {line for t in tokens for line in range(t.start[0], t.end[0] + 1)}


def function_sizes():
    """Code lines of every function of the package, its docstring not counted."""
    for module, path in MODULES.items():
        written = code_lines(path)
        for function in functions(module):
            node = function.node
            own = {line for line in written if node.lineno <= line <= node.end_lineno}
            if ast.get_docstring(node):
                own -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
            yield str(function), len(own)


def test_functions_are_small():
    sizes = dict(function_sizes())
    long = {n: size for n, size in sizes.items() if size > MAX_FUNCTION and '.networks.' not in n}
    assert long == {}
    assert statistics.median(sizes.values()) <= MEDIAN_FUNCTION
    assert statistics.quantiles(sizes.values(), n=10)[-1] <= P90_FUNCTION


def test_no_function_hides_another():
    written = [n for tree in TREES.values() for n in ast.walk(tree) if isinstance(n, FUNCTION)]
    assert len(dict(function_sizes())) == len(written)
