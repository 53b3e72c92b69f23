# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

from rclpy.qos import QoSPolicyKind

class UnsupportedEventTypeError(Exception): ...

class QoSRequestedIncompatibleQoSInfo:
    last_policy_kind: QoSPolicyKind

class QoSMessageLostInfo:
    total_count_change: int

class QoSSubscriptionMatchedInfo:
    current_count: int

class PublisherEventCallbacks:
    def __init__(self, *, matched: Callable[[object], None] | None = ...) -> None: ...

class SubscriptionEventCallbacks:
    def __init__(
        self,
        *,
        incompatible_qos: Callable[[QoSRequestedIncompatibleQoSInfo], None] | None = ...,
        message_lost: Callable[[QoSMessageLostInfo], None] | None = ...,
        matched: Callable[[QoSSubscriptionMatchedInfo], None] | None = ...,
        use_default_callbacks: bool = ...,
    ) -> None: ...
