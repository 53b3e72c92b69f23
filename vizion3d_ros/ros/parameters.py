# SPDX-License-Identifier: Apache-2.0
"""ROS parameters declared from a settings model: one source for defaults, ranges and texts."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

from annotated_types import Ge, Le, MultipleOf
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterNotDeclaredException
from rclpy.node import Node
from rclpy.parameter import Parameter

from vizion3d_ros.contracts.base import Contract
from vizion3d_ros.contracts.errors import DepthError, InputError, explain
from vizion3d_ros.ros.given import as_meant, check_qos, named, overrides

Settings = TypeVar('Settings', bound=Contract)


class Refused(Parameter):
    """
    A change that cannot be, as the value that there is, which rclpy lets pass.

    Its own words for a wrong type leave out which parameter of a batch it is of.
    """

    def __init__(self, present: Parameter, reason: str) -> None:
        """present: the parameter as it is now."""
        super().__init__(present.name, value=present.value)
        self.reason = reason


class LiveSettings(Generic[Settings]):
    """
    Declares the parameters of a node and keeps `current` equal to them.

    A batch of changes is accepted or refused as a whole, with a reason. `current` is replaced,
    never changed, so any thread may read it at any time.
    """

    def __init__(
        self,
        node: Node,
        model: type[Settings],
        on_change: Callable[[Settings], None],
        check: Callable[[Settings, Settings], None] = lambda current, wanted: None,
    ) -> None:
        """
        Declare every field; on_change(current) runs in the executor after each change.

        check(current, wanted) may refuse a change with a DepthError. Raises the rclpy parameter
        exceptions and pydantic.ValidationError for bad overrides.
        """
        self._node = node
        self._model = model
        self._on_change = on_change
        self._check = check
        check_qos(node)
        self._fields = dict(fields(model))
        for name, field in self._fields.items():
            _declare(node, name, field, descriptor(field))
        self.current: Settings = self._with_changes([])
        if hasattr(node, 'add_pre_set_parameters_callback'):
            node.add_pre_set_parameters_callback(self._as_meant)
        node.add_on_set_parameters_callback(self._validate)
        if hasattr(node, 'add_post_set_parameters_callback'):
            node.add_post_set_parameters_callback(self._apply)

    def _with_changes(self, changes: Iterable[Parameter]) -> Settings:
        values = {name: self._node.get_parameter(name).value for name in self._fields}
        values.update({p.name: p.value for p in changes if p.name in self._fields})
        return build(self._model, values)

    def _as_meant(self, changes: list[Parameter]) -> list[Parameter]:
        """Take whole numbers for floats, and name the unknown, before rclpy looks at either."""
        unknown = [p.name for p in changes if not self._node.has_parameter(p.name)]
        if unknown:
            raise ParameterNotDeclaredException(named(unknown, self._fields))
        return [self._meant(p) if p.name in self._fields else p for p in changes]

    def _meant(self, change: Parameter) -> Parameter:
        try:
            value = _value(change.name, change.value, self._fields[change.name])
        except InputError as error:
            return Refused(self._node.get_parameter(change.name), str(error))
        return Parameter(change.name, value=value)

    def _validate(self, changes: list[Parameter]) -> SetParametersResult:
        refused = [change.reason for change in changes if isinstance(change, Refused)]
        if refused:
            return SetParametersResult(successful=False, reason='; '.join(refused))
        try:
            candidate = self._with_changes(changes)
            self._check(self.current, candidate)
        except (DepthError, ValidationError) as error:
            return SetParametersResult(successful=False, reason=explain(error))
        if not hasattr(self._node, 'add_post_set_parameters_callback'):  # Humble
            self._replace(candidate, changes)
        return SetParametersResult(successful=True)

    def put_back(self, values: Contract, names: Iterable[str]) -> None:
        """
        Set the named fields of the settings, groups as a whole, to what they are in values.

        Unchecked: they were in force, also if their file is gone by now.
        """
        wanted = dict(_leaves(values))
        changes = [
            Parameter(name, value=value)
            for name, value in wanted.items()
            if name.split('.')[0] in names and value != self._node.get_parameter(name).value
        ]
        check, self._check = self._check, lambda current, wanted: None
        try:
            self._node.set_parameters_atomically(changes)
        finally:
            self._check = check

    def _apply(self, changes: list[Parameter]) -> None:
        self._replace(self._with_changes(changes), changes)

    def _replace(self, settings: Settings, changes: list[Parameter]) -> None:
        # Others declare parameters too: rclpy one for every qos_overrides of a topic.
        if any(p.name in self._fields for p in changes):
            self.current = settings
            self._on_change(settings)


def declare(node: Node, model: type[Settings]) -> Settings:
    """Declare every field of a settings model as a read-only parameter, and read them all."""
    check_qos(node)
    values: dict[str, Any] = {}
    for name, field in fields(model):
        description = descriptor(field)
        description.read_only = True
        values[name] = _declare(node, name, field, description).value
    return build(model, values)


def _declare(
    node: Node, name: str, field: FieldInfo, description: ParameterDescriptor
) -> Parameter:
    """Declare a parameter with what was given for it, else with its default."""
    given = overrides(node).get(name)
    value = field.default if given is None else _value(name, given.value, field)
    return node.declare_parameter(name, value, description, ignore_override=True)


def _value(name: str, value: Any, field: FieldInfo) -> Any:
    return as_meant(name, value, field.default, _extra(field).get('numbers'))


def _extra(field: FieldInfo) -> dict[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def fields(model: type[Contract], prefix: str = '') -> Iterator[tuple[str, FieldInfo]]:
    """Dotted parameter name and field of every setting, groups opened."""
    for name, field in model.model_fields.items():
        if isinstance(field.default, Contract):
            yield from fields(type(field.default), f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', field


def _leaves(values: Contract, prefix: str = '') -> Iterator[tuple[str, Any]]:
    """Dotted parameter name and value of every setting."""
    for name, value in dict(values).items():
        if isinstance(value, Contract):
            yield from _leaves(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value


def build(model: type[Settings], values: Mapping[str, Any]) -> Settings:
    """Make the settings from dotted names; pydantic.ValidationError if they do not fit."""
    nested: dict[str, Any] = {}
    for name, value in values.items():
        *groups, leaf = name.split('.')
        group = nested
        for part in groups:
            group = group.setdefault(part, {})
        group[leaf] = list(value) if isinstance(value, (array, tuple)) else value
    return model.model_validate(nested)


def descriptor(field: FieldInfo) -> ParameterDescriptor:
    """Description, range, choices and read-only mark of one setting."""
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    answer = ParameterDescriptor(
        description=field.description or '',
        additional_constraints=f'one of: {", ".join(choices)}' if choices else '',
        read_only=bool(_extra(field).get('fixed', False)),
    )
    limits = {type(rule): rule for rule in field.metadata}
    if Ge in limits and Le in limits:
        low, high = limits[Ge].ge, limits[Le].le
        if field.annotation is int:
            step = limits[MultipleOf].multiple_of if MultipleOf in limits else 1
            answer.integer_range = [IntegerRange(from_value=low, to_value=high, step=step)]
        else:
            answer.floating_point_range = [FloatingPointRange(from_value=low, to_value=high)]
    return answer
