# SPDX-License-Identifier: Apache-2.0
"""
The parameters that a node is given at its start: as they are meant, and those nobody declared.

YAML and the command line read 10 as a whole number and 2.0 as none; rclpy then refuses them.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from rclpy.node import Node
from rclpy.parameter import Parameter

from vizion3d_ros.contracts.errors import InputError

OF_OTHERS = ('qos_overrides.', 'use_sim_time', 'start_type_description_service')
EXPECTED = {
    bool: 'true or false',
    int: 'a whole number such as 10',
    float: 'a number such as 10.0',
    str: 'a text',
}


def overrides(node: Node) -> Mapping[str, Parameter]:
    """The parameters that were given to a node at its start, declared or not."""
    given: Mapping[str, Parameter] = node._parameter_overrides  # nothing public tells
    return given


def as_meant(name: str, value: Any, default: Any, choices: Mapping[str, str] | None = None) -> Any:
    """
    Take a whole number for a float, one without decimals for an int, a number for its choice.

    default: of the type that is declared. choices: what numbers stand for. Raises InputError for
    other types.
    """
    kind = type(default)
    if type(value) is kind or kind not in EXPECTED:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind is int and type(value) is float and value.is_integer():
        return int(value)
    if choices and str(value) in choices:
        return choices[str(value)]
    raise InputError(f'{name}: expected {EXPECTED[kind]}, got {value!r}')


def explain_unknown(node: Node) -> str:
    """Name the given parameters that nobody declared and what was meant; '' if there are none."""
    known = node.get_parameters_by_prefix('').keys()
    unknown = [
        name for name in overrides(node) if name not in known and not name.startswith(OF_OTHERS)
    ]
    if not unknown:
        return ''
    named = ', '.join(_with_suggestion(name, known) for name in sorted(unknown))
    return f'unknown parameters, which change nothing: {named}'


def explain_sections(files: Iterable[str], node: Node) -> str:
    """Say that a parameter file has values for other nodes only; '' if none is like that."""
    name = node.get_name()
    for file in files:
        sections = _sections(yaml.safe_load(Path(file).read_text()))
        if sections and not any('*' in section or section == name for section in sections):
            return (
                f'{file} has parameters for {" and ".join(sections)} only, so this node has none '
                f'from it: write {name}: in their place'
            )
    return ''


def _with_suggestion(name: str, known: Collection[str]) -> str:
    leaf = name.rpartition('.')[2]
    alike = [other for other in known if other.rpartition('.')[2] == leaf]
    alike = alike or difflib.get_close_matches(name, known, 1)
    return f'{name} (did you mean {" or ".join(alike)}?)' if alike else name


def _sections(content: object) -> list[str]:
    """Names of the nodes for which a parameter file has values."""
    if not isinstance(content, dict):
        return []
    below = [inner for value in content.values() for inner in _sections(value)]
    here = [
        str(key).strip('/').rpartition('/')[2]
        for key, value in content.items()
        if isinstance(value, dict) and 'ros__parameters' in value
    ]
    return [*here, *below]
