# SPDX-License-Identifier: Apache-2.0
from collections.abc import Sequence

from launch import LaunchContext

class Substitution:
    def perform(self, context: LaunchContext) -> str: ...

class LaunchConfiguration(Substitution):
    def __init__(self, variable_name: str) -> None: ...

class PathJoinSubstitution(Substitution):
    def __init__(self, substitutions: Sequence[str | Substitution]) -> None: ...
