# SPDX-License-Identifier: Apache-2.0
from collections.abc import Mapping, Sequence

from launch.conditions import IfCondition
from launch.substitutions import Substitution

from launch import Action

class Node(Action):
    def __init__(
        self,
        *,
        package: str,
        executable: str,
        name: str = ...,
        namespace: str = ...,
        remappings: Sequence[tuple[str, str]] = ...,
        parameters: Sequence[str | Mapping[str, object]] = ...,
        ros_arguments: Sequence[str] = ...,
        arguments: Sequence[str | Substitution] = ...,
        condition: IfCondition = ...,
        output: str = ...,
        emulate_tty: bool = ...,
    ) -> None: ...
