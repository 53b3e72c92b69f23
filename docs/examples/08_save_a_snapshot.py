# SPDX-License-Identifier: Apache-2.0
"""
Have a node write the next frame to files: image, depth, disparity, cloud, calibration.

    ros2 run vizion3d_ros stereo_node --ros-args -p requests.snapshot_dirs:="['/tmp/snapshots']"
    python3 08_save_a_snapshot.py [NODE]
    python3 08_save_a_snapshot.py /front/stereo_node

The operator chooses the folders; none is allowed unless the parameter names it.
"""

import sys

import rclpy
from rclpy.utilities import remove_ros_args

from vizion3d_interfaces.srv import SaveSnapshot

name = [*remove_ros_args(sys.argv)[1:], '/stereo_node'][0]
rclpy.init(args=sys.argv)
node = rclpy.create_node('photographer')
client = node.create_client(SaveSnapshot, f'{name}/save_snapshot')
client.wait_for_service()
future = client.call_async(SaveSnapshot.Request())  # directory: '' = the first one allowed
rclpy.spin_until_future_complete(node, future)
answer = future.result()
if not answer.success:
    sys.exit(answer.message)
print('\n'.join(answer.paths))
