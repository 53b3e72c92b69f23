# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Sequence

from sensor_msgs.msg import CompressedImage, Image

class SimpleFilter:
    def registerCallback(self, cb: Callable[..., None], *args: object) -> int: ...
    def signalMessage(self, *msg: Image | CompressedImage) -> None: ...

class TimeSynchronizer(SimpleFilter):
    def __init__(self, fs: Sequence[SimpleFilter], queue_size: int) -> None: ...

class ApproximateTimeSynchronizer(TimeSynchronizer):
    def __init__(self, fs: Sequence[SimpleFilter], queue_size: int, slop: float) -> None: ...
