# SPDX-License-Identifier: Apache-2.0
"""The package as its source text shows it: modules, what they import, functions."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'vizion3d_ros'
MODULES = {
    '.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix('.__init__'): path
    for path in sorted(PACKAGE.rglob('*.py'))
    if '_pb2' not in path.name  # generated
}
TREES = {module: ast.parse(path.read_text()) for module, path in MODULES.items()}
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Function:
    """name: with its classes and the line, so that two of one name stay two."""

    module: str
    name: str
    public: bool
    node: ast.FunctionDef | ast.AsyncFunctionDef

    def __str__(self) -> str:
        return f'{self.module}.{self.name}:{self.node.lineno}'


def functions(module: str) -> list[Function]:
    """Every function and method of a module, also those inside others."""
    return list(_functions(module, TREES[module], '', True))


def _functions(module: str, tree: ast.AST, prefix: str, public: bool) -> Iterator[Function]:
    for node in ast.iter_child_nodes(tree):
        named = isinstance(node, (*FUNCTION, ast.ClassDef))
        name = f'{prefix}{node.name}' if named else prefix
        shown = public and not (named and node.name.startswith('_'))
        if isinstance(node, FUNCTION):
            yield Function(module, name, shown, node)
            yield from _functions(module, node, f'{name}.', False)
        else:
            yield from _functions(module, node, f'{name}.' if named else prefix, shown)


def imports(module: str, *, inside_functions: bool = True, typing: bool = True) -> list[str]:
    """Every name that a module imports; typing: also under TYPE_CHECKING."""
    found, waiting = [], [TREES[module]]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found += _named(node, module)
        skip = isinstance(node, FUNCTION) and not inside_functions
        if not skip and (typing or not _is_typing_only(node)):
            waiting += ast.iter_child_nodes(node)
    return found


def ours(module: str) -> set[str]:
    """Which other modules of the package a module imports."""
    return {name for name in imports(module) if name in MODULES} - {module, 'vizion3d_ros'}


def part(module: str) -> str:
    """contracts, geometry, ...: the part of the package; '' is the package itself."""
    return module.split('.')[1] if '.' in module else ''


def _named(node: ast.Import | ast.ImportFrom, module: str) -> list[str]:
    """Modules that one import statement names, absolute; its names may be modules as well."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ''
    if node.level:
        package = module if MODULES[module].name == '__init__.py' else module.rpartition('.')[0]
        above = package.split('.')[: len(package.split('.')) - node.level + 1]
        base = '.'.join([*above, base] if base else above)
    names = [f'{base}.{alias.name}' for alias in node.names]
    return names if set(names) <= set(MODULES) else [base, *names]


def _is_typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.unparse(node.test)
