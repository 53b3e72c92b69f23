# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for launch and launch_ros that carry out a launch file and start nothing."""

import runpy
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent


class Action:
    """What the others are, for annotations."""


@dataclass
class LaunchConfiguration:
    name: str

    def perform(self, context):
        return context.launch_configurations[self.name]


@dataclass
class PathJoinSubstitution:
    parts: list

    def perform(self, context):
        return '/'.join(resolve(self.parts, context))


@dataclass
class FindPackageShare:
    package: str

    def perform(self, context):
        assert self.package == 'vizion3d_ros'
        return str(ROOT)


@dataclass
class IfCondition:
    predicate: LaunchConfiguration

    def evaluate(self, context):
        return resolve(self.predicate, context).lower() in ('true', '1')


@dataclass
class DeclareLaunchArgument:
    name: str
    default_value: object
    description: str
    choices: list | None = None

    def execute(self, context):
        value = resolve(self.default_value, context)
        value = context.launch_configurations.setdefault(self.name, value)
        if self.choices is not None and value not in self.choices:
            raise RuntimeError(f'{self.name} provided value {value!r}, options {self.choices}')


@dataclass
class ExecuteProcess:
    cmd: list

    def execute(self, context):
        context.processes.append(resolve(self.cmd, context))


@dataclass
class GroupAction:
    actions: list

    def execute(self, context):
        """In a scope: what is set inside does not come out."""
        outside = dict(context.launch_configurations)
        for action in self.actions:
            action.execute(context)
        context.launch_configurations = outside


@dataclass
class IncludeLaunchDescription:
    source: PathJoinSubstitution
    launch_arguments: object

    def execute(self, context):
        context.launch_configurations.update(self.launch_arguments)
        for entity in describe(resolve(self.source, context)).entities:
            entity.execute(context)


@dataclass
class OpaqueFunction:
    function: object

    def execute(self, context):
        for entity in self.function(context):
            entity.execute(context)


@dataclass
class SetEnvironmentVariable:
    name: str
    value: object

    def execute(self, context):
        context.environment[self.name] = resolve(self.value, context)


@dataclass
class Node:
    """The keywords of the real one that we use; another is a TypeError."""

    package: str
    executable: str
    name: object = None
    namespace: object = ''
    parameters: list = field(default_factory=list)
    remappings: list = field(default_factory=list)
    arguments: list = field(default_factory=list)
    ros_arguments: list = field(default_factory=list)
    output: str = 'log'
    emulate_tty: bool = False
    condition: IfCondition | None = None

    def execute(self, context):
        if self.condition is None or self.condition.evaluate(context):
            values = {key: resolve(value, context) for key, value in vars(self).items()}
            name = f'{values["namespace"]}/{self.executable}'.lstrip('/')
            assert name not in context.nodes
            context.nodes[name] = SimpleNamespace(**values)


@dataclass
class LaunchDescription:
    entities: list


@dataclass
class LaunchContext:
    launch_configurations: dict
    environment: dict
    nodes: dict = field(default_factory=dict)
    processes: list = field(default_factory=list)


def resolve(value, context):
    """Carry out the substitutions in a value."""
    if hasattr(value, 'perform'):
        return value.perform(context)
    if isinstance(value, (list, tuple)):
        return [resolve(item, context) for item in value]
    return value


STAND_INS = {
    'launch': (Action, LaunchContext, LaunchDescription),
    'launch.actions': (
        *(DeclareLaunchArgument, ExecuteProcess, GroupAction, IncludeLaunchDescription),
        *(OpaqueFunction, SetEnvironmentVariable),
    ),
    'launch.conditions': (IfCondition,),
    'launch.substitutions': (LaunchConfiguration, PathJoinSubstitution),
    'launch_ros': (),
    'launch_ros.actions': (Node,),
    'launch_ros.substitutions': (FindPackageShare,),
}


def stand_ins():
    """Give the modules of launch and launch_ros, each with what we use of it."""
    modules = {name: ModuleType(name) for name in STAND_INS}
    for name, members in STAND_INS.items():
        vars(modules[name]).update({member.__name__: member for member in members})
    return modules


def launch_file(kind):
    return ROOT / 'launch' / f'{kind}.launch.py'


def describe(path):
    """Run a launch file as far as --show-args does."""
    return runpy.run_path(str(path))['generate_launch_description']()


def carry_out(path, environment, arguments):
    """Run a launch file to the end and give the context that it leaves behind."""
    context = LaunchContext(dict(arguments), dict(environment))
    for entity in describe(path).entities:
        entity.execute(context)
    return context
