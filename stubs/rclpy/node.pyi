# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, ROSClock
from rclpy.context import Context
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.executors import Executor
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from rclpy.topic_endpoint_info import TopicEndpointInfo

MsgType = TypeVar('MsgType')

class Node:
    _parameter_overrides: dict[str, Parameter]
    def __init__(self, node_name: str) -> None: ...
    @property
    def context(self) -> Context: ...
    @property
    def executor(self) -> Executor | None: ...
    @property
    def services(self) -> Iterator[Service]: ...
    def get_clock(self) -> ROSClock: ...
    def get_logger(self) -> RcutilsLogger: ...
    def get_name(self) -> str: ...
    def get_fully_qualified_name(self) -> str: ...
    def resolve_topic_name(self, topic: str, *, only_expand: bool = ...) -> str: ...
    def count_subscribers(self, topic_name: str) -> int: ...
    def count_publishers(self, topic_name: str) -> int: ...
    def get_publishers_info_by_topic(self, topic_name: str) -> list[TopicEndpointInfo]: ...
    def get_topic_names_and_types(self) -> list[tuple[str, list[str]]]: ...
    def declare_parameter(
        self,
        name: str,
        value: Any = ...,
        descriptor: ParameterDescriptor | None = ...,
        ignore_override: bool = ...,
    ) -> Parameter: ...
    def get_parameters_by_prefix(self, prefix: str) -> dict[str, Parameter]: ...
    def get_parameter(self, name: str) -> Parameter: ...
    def has_parameter(self, name: str) -> bool: ...
    def set_parameters_atomically(
        self, parameter_list: list[Parameter]
    ) -> SetParametersResult: ...
    def add_pre_set_parameters_callback(
        self, callback: Callable[[list[Parameter]], list[Parameter]]
    ) -> None: ...
    def add_on_set_parameters_callback(
        self, callback: Callable[[list[Parameter]], SetParametersResult]
    ) -> None: ...
    def add_post_set_parameters_callback(
        self, callback: Callable[[list[Parameter]], None]
    ) -> None: ...
    def create_publisher(
        self,
        msg_type: type[MsgType],
        topic: str,
        qos_profile: QoSProfile | int,
        *,
        event_callbacks: PublisherEventCallbacks | None = ...,
        qos_overriding_options: QoSOverridingOptions | None = ...,
    ) -> Publisher[MsgType]: ...
    def create_subscription(
        self,
        msg_type: type[MsgType],
        topic: str,
        callback: Callable[[MsgType], None] | Callable[[MsgType, Mapping[str, Any]], None],
        qos_profile: QoSProfile | int,
        *,
        event_callbacks: SubscriptionEventCallbacks | None = ...,
        qos_overriding_options: QoSOverridingOptions | None = ...,
    ) -> Subscription: ...
    def create_service(
        self,
        srv_type: type,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        *,
        qos_profile: QoSProfile = ...,
        callback_group: CallbackGroup | None = ...,
    ) -> Service: ...
    def create_timer(
        self,
        timer_period_sec: float,
        callback: Callable[[], None],
        callback_group: CallbackGroup | None = ...,
        clock: Clock | None = ...,
    ) -> Timer: ...
    def destroy_publisher(self, publisher: Publisher[Any]) -> bool: ...
    def destroy_subscription(self, subscription: Subscription) -> bool: ...
    def destroy_timer(self, timer: Timer) -> bool: ...
    def destroy_node(self) -> None: ...
