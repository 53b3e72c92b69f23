# SPDX-License-Identifier: Apache-2.0
from typing import Generic, TypeVar

from rclpy.duration import Duration

MsgType = TypeVar('MsgType')

class Publisher(Generic[MsgType]):
    def publish(self, msg: MsgType) -> None: ...
    def get_subscription_count(self) -> int: ...
    def wait_for_all_acked(self, timeout: Duration = ...) -> bool: ...
