# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Iterable, Sequence

from launch.substitutions import Substitution

from launch import Action, LaunchContext

class DeclareLaunchArgument(Action):
    def __init__(
        self,
        name: str,
        *,
        default_value: str | Substitution,
        description: str,
        choices: Sequence[str] | None = ...,
    ) -> None: ...

class ExecuteProcess(Action):
    def __init__(self, *, cmd: Sequence[str]) -> None: ...

class GroupAction(Action):
    def __init__(self, actions: Iterable[Action]) -> None: ...

class IncludeLaunchDescription(Action):
    def __init__(
        self, source: Substitution, *, launch_arguments: Iterable[tuple[str, str]]
    ) -> None: ...

class OpaqueFunction(Action):
    def __init__(self, *, function: Callable[[LaunchContext], Sequence[Action]]) -> None: ...

class SetEnvironmentVariable(Action):
    def __init__(self, name: str, value: str) -> None: ...
