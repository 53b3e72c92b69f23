# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterable, Mapping

class LaunchContext:
    @property
    def environment(self) -> Mapping[str, str]: ...

class Action: ...

class LaunchDescription:
    def __init__(self, initial_entities: Iterable[Action] | None = ...) -> None: ...
