# SPDX-License-Identifier: Apache-2.0
"""Public functions that take or give arrays say of what shape."""

import ast
import re

from source_tree import MODULES, TREES, functions

MIN_SHARE = 0.95
ARRAYS = {'NDArray', 'ndarray', 'Tensor'}

# (H, W), (B, C, 2 * H, W), (h, w/2), (N,), (..., 3), (B, n, *size), [H][W], or in words
WORDS = 'height|width|length|rows|columns|tokens|inputs|outputs|batch|heads|(?:2 )?sequences'
AXIS = rf"(?:2?[A-Z][a-z]?'?|[hwn]\d?|{WORDS}|\*\w+|[1-9]\d*)"
AXES = rf'(?:{AXIS}(?: ?[*/+-] ?{AXIS})*|\.\.\.)'
SHAPE = re.compile(rf'\({AXES},(?: {AXES},?)*\)|\[H\]\[W\]|\b(?:shape of|(?:any|equal) shape)\b')


def words(node):
    """All names in an annotation, also those within quotes."""
    return set(re.findall(r'\w+', ast.unparse(node)))


def array_types():
    """What arrays are called in each module: their own names, and aliases made or imported."""
    names = {module: set(ARRAYS) for module in MODULES}
    for _ in range(3):  # aliases of aliases, imported
        for module, known in names.items():
            for node in ast.walk(TREES[module]):
                if isinstance(node, ast.ImportFrom):
                    known |= {alias.name for alias in node.names} & names.get(node.module, set())
                elif isinstance(node, ast.Assign) and words(node.value) & known:
                    known |= set(re.findall(r'^[A-Z]\w*[a-z]\w*', ast.unparse(node.targets[0])))
    return names


def signature(node):
    """Every annotation of a function."""
    arguments = [each for each in ast.walk(node.args) if isinstance(each, ast.arg)]
    return [a for a in (*(each.annotation for each in arguments), node.returns) if a]


def with_arrays():
    """Public functions whose signature names an array."""
    arrays = array_types()
    for module in MODULES:
        for function in functions(module):
            named = set().union(*map(words, signature(function.node)))
            if function.public and named & arrays[module]:
                yield function


def test_arrays_have_shapes():
    stated = {
        str(each): bool(SHAPE.search(ast.get_docstring(each.node) or '')) for each in with_arrays()
    }
    silent = [name for name, said in stated.items() if not said]
    assert len(silent) <= (1 - MIN_SHARE) * len(stated), '\n'.join(silent)
