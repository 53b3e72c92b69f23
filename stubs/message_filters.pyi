# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Sequence

from typing import Any

class SimpleFilter:
    def registerCallback(self, cb: Callable[..., None], *args: object) -> int: ...
    def signalMessage(self, *msg: Any) -> None: ...

class TimeSynchronizer(SimpleFilter):
    def __init__(self, fs: Sequence[SimpleFilter], queue_size: int) -> None: ...

class ApproximateTimeSynchronizer(TimeSynchronizer):
    def __init__(self, fs: Sequence[SimpleFilter], queue_size: int, slop: float) -> None: ...
