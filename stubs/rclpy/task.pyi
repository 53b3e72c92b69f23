# SPDX-License-Identifier: Apache-2.0
from collections.abc import Generator
from typing import Any

from rclpy.executors import Executor

class Future:
    def __init__(self, *, executor: Executor | None = ...) -> None: ...
    def __await__(self) -> Generator[None, None, Any]: ...
    def set_result(self, result: object) -> None: ...
