# SPDX-License-Identifier: Apache-2.0
"""
The parameters that a node is given at its start: as they are meant, and those nobody declared.

YAML and the command line read 10 as a whole number and 2.0 as none; rclpy then refuses them.
"""

from __future__ import annotations

import difflib
import re
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from rclpy.node import Node
from rclpy.parameter import Parameter

from vizion3d_ros.contracts.errors import InputError

OF_OTHERS = ('use_sim_time', 'start_type_description_service')
QOS = re.compile(r'qos_overrides\./.*\.(?:publisher|subscription)\.(\w+)')
# What of a QoS can be overridden: all that QoSOverridingOptions.with_default_policies has.
POLICIES: dict[str, tuple[str, ...]] = {
    'depth': (),
    'history': ('keep_last', 'keep_all', 'system_default'),
    'reliability': ('reliable', 'best_effort', 'system_default', 'best_available'),
}
EXPECTED = {
    bool: 'true or false',
    int: 'a whole number such as 10',
    float: 'a number such as 10.0',
    str: 'a text, in YAML in quotes',
}
# What stereo_image_proc calls otherwise.
ELSEWHERE = {
    'approximate_sync': 'sync.mode',
    'approximate_sync_tolerance_seconds': 'sync.slop',
    'stereo_algorithm': 'backend',
}
WILD = {'**': '.*', '*': '[^/]+'}


def overrides(node: Node) -> Mapping[str, Parameter]:
    """The parameters that were given to a node at its start, declared or not."""
    given: Mapping[str, Parameter] = node._parameter_overrides  # nothing public tells
    return given


def as_meant(name: str, value: Any, default: Any, choices: Mapping[str, str] | None = None) -> Any:
    """
    Take a whole number for a float, one without decimals for an int, a number for its choice.

    default: of the type that is declared, lists not empty. choices: what numbers stand for. Raises
    InputError for other types.
    """
    kind = type(default)
    if kind is list:
        return _list_as_meant(name, value, default)
    if type(value) is kind or kind not in EXPECTED:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind is int and type(value) is float and value.is_integer():
        return int(value)
    if choices and str(value) in choices:
        return choices[str(value)]
    expected = ' or '.join(choices.values()) if choices else EXPECTED[kind]
    raise InputError(f'{name}: expected {expected}, got {value!r}')


def _list_as_meant(name: str, value: Any, default: list[Any]) -> list[Any]:
    """
    Take each element as it is meant, and an empty list of texts as [''].

    ROS has no type for []: it comes as one of booleans from the command line, at start as None.
    """
    if isinstance(default[0], str) and (value is None or (_is_list(value) and not value)):
        return ['']
    if not _is_list(value) or not value:
        raise InputError(f'{name}: expected a list such as {default}, got {value!r}')
    return [as_meant(name, each, default[0]) for each in value]


def _is_list(value: object) -> bool:
    """Whether a value is that of a parameter that holds several."""
    return isinstance(value, (list, tuple, array))


def check_qos(node: Node) -> None:
    """
    Raise InputError for a qos_overrides that no topic can take.

    rclpy reads them when the topic opens, which may be long after the start.
    """
    for name, parameter in overrides(node).items():
        found, value = QOS.fullmatch(name), parameter.value
        policy = found[1] if found else ''
        if policy == 'depth' and not (type(value) is int and value >= 0):
            raise InputError(f'{name}: expected {EXPECTED[int]}, got {value!r}')
        choices = POLICIES.get(policy)
        if choices and not (isinstance(value, str) and value.lower() in choices):
            raise InputError(f'{name}: expected {" or ".join(choices)}, got {value!r}')


def explain_unknown(node: Node) -> str:
    """Name the given parameters that nobody declared and what was meant; '' if there are none."""
    known = node.get_parameters_by_prefix('').keys()
    unknown = [
        name
        for name in overrides(node)
        if name not in known and not name.startswith(OF_OTHERS) and not _is_of_a_topic(name)
    ]
    if not unknown:
        return ''
    return f'unknown parameters, which change nothing: {named(unknown, known)}'


def named(unknown: Iterable[str], known: Collection[str]) -> str:
    """List names that nobody declared, each with what was meant if that can be told."""
    return ', '.join(_with_suggestion(name, known) for name in sorted(unknown))


def explain_sections(files: Iterable[str], node: Node) -> str:
    """Say that a parameter file has values for other nodes only; '' if none is like that."""
    name = node.get_fully_qualified_name()
    for file in files:
        sections = list(_sections(_content(file)))
        if sections and not any(_is_for(section, name) for section in sections):
            return (
                f'{file} has parameters for {" and ".join(sections)} only, so this node has none '
                f'from it: write {name}: or /**: in their place'
            )
    return ''


def _with_suggestion(name: str, known: Collection[str]) -> str:
    leaf = _leaf(name)
    alike = [other for other in known if _leaf(other) == leaf or other == ELSEWHERE.get(name)]
    alike = alike or difflib.get_close_matches(name, known, 1)
    return f'{name} (did you mean {" or ".join(alike)}?)' if alike else name


def _is_of_a_topic(name: str) -> bool:
    """Whether a parameter is declared with its topic, which may still have to open."""
    found = QOS.fullmatch(name)
    return found is not None and found[1] in POLICIES


def _leaf(name: str) -> str:
    return name.rpartition('.')[2].lower()


def _content(file: str) -> object:
    try:
        return yaml.safe_load(Path(file).read_text(encoding='utf-8'))
    except (OSError, ValueError, yaml.YAMLError):  # the node has started: rcl could read it
        return None


def _sections(content: object, path: str = '') -> Iterator[str]:
    """Names of the nodes for which a parameter file has values, namespaces before them."""
    for key, value in content.items() if isinstance(content, dict) else ():
        if key == 'ros__parameters':
            yield path
        else:
            yield from _sections(value, f'{path}/{str(key).strip("/")}')


def _is_for(section: str, name: str) -> bool:
    """Whether rcl takes a section for a node; ** stands for any namespaces, * for one name."""
    pattern = '/'.join(WILD.get(part, re.escape(part)) for part in section.split('/'))
    return bool(re.fullmatch(pattern.replace('/.*/', '/(.*/)?'), name))
