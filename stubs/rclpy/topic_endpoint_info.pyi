# SPDX-License-Identifier: Apache-2.0
from rclpy.qos import QoSProfile

class TopicEndpointInfo:
    @property
    def qos_profile(self) -> QoSProfile: ...
