# SPDX-License-Identifier: Apache-2.0
from rclpy.event_handler import PublisherEventCallbacks as PublisherEventCallbacks
from rclpy.event_handler import SubscriptionEventCallbacks as SubscriptionEventCallbacks
from rclpy.event_handler import UnsupportedEventTypeError as UnsupportedEventTypeError
