# SPDX-License-Identifier: Apache-2.0
"""
A node that reads depth: where in space is what the middle pixel sees?

    python3 05_read_depth_in_a_node.py [--ros-args -r __ns:=/front]

Listening makes the depth node work. First load the profile of docs/transport.md.
"""

import contextlib

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data as qos
from sensor_msgs.msg import CameraInfo, Image


class MiddlePixel(Node):
    def __init__(self):
        super().__init__('middle_pixel')
        self.p = [float('nan')] * 12  # 3x4, row by row: fx 0 cx, 0 fy cy of the rectified image
        self.create_subscription(CameraInfo, 'depth/camera_info', self.on_info, qos)
        self.create_subscription(Image, 'depth/image', self.on_depth, qos)

    def on_info(self, info):
        self.p = info.p

    def on_depth(self, image):
        depth_m = np.frombuffer(image.data, np.float32).reshape(image.height, image.width)
        u, v = image.width // 2, image.height // 2
        z = depth_m[v, u]  # NaN = no measurement
        x, y = z * (u - self.p[2]) / self.p[0], z * (v - self.p[6]) / self.p[5]
        print(f'x {x:.3f} y {y:.3f} z {z:.3f} m in {image.header.frame_id}', flush=True)


rclpy.init()
with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
    rclpy.spin(MiddlePixel())
