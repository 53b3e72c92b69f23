# SPDX-License-Identifier: Apache-2.0
"""
Ask a node for the depth of one pair.

    ros2 run vizion3d_ros service_node                   in one terminal
    python3 04_call_the_service.py LEFT RIGHT FX CX CY BASELINE_MM          in another
    python3 04_call_the_service.py left.png right.png 994.98 311.19 254.88 193.0
"""

import sys
from array import array
from pathlib import Path

import numpy as np
import rclpy
from rclpy.utilities import remove_ros_args

from vizion3d_interfaces.srv import RunStereoDepth

left, right, fx, cx, cy, baseline_mm = remove_ros_args(sys.argv)[1:]
request = RunStereoDepth.Request()
request.left_image_bytes = array('B', Path(left).read_bytes())
request.right_image_bytes = array('B', Path(right).read_bytes())
config = request.advanced_config  # what is not set here keeps its default
config.focal_length, config.cx, config.cy = float(fx), float(cx), float(cy)
config.baseline = float(baseline_mm)

rclpy.init(args=sys.argv)
node = rclpy.create_node('caller')
client = node.create_client(RunStereoDepth, '/service_node/run_stereo_depth')
client.wait_for_service()
future = client.call_async(request)
rclpy.spin_until_future_complete(node, future)
answer = future.result()
if not answer.success:
    sys.exit(answer.message)  # it names the field, and says what to do
depth = answer.depth_map  # 32FC1, metres, 0.0 = no measurement
depth_m = np.frombuffer(depth.data, np.float32).reshape(depth.height, depth.width)
print(f'{answer.backend_used}: {answer.min_depth:.3f} to {answer.max_depth:.3f} m')
print(f'in the middle {depth_m[depth.height // 2, depth.width // 2]:.3f} m')
