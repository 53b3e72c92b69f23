# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Sequence

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

class LogInfo(Action):
    def __init__(self, *, msg: str) -> None: ...

class Shutdown(Action):
    def __init__(self, *, reason: str) -> None: ...

class OpaqueFunction(Action):
    def __init__(self, *, function: Callable[[LaunchContext], Sequence[Action]]) -> None: ...

class SetEnvironmentVariable(Action):
    def __init__(self, name: str, value: str) -> None: ...
