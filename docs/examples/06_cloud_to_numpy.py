# SPDX-License-Identifier: Apache-2.0
"""
One point cloud as NumPy arrays: positions in metres and colours.

    python3 06_cloud_to_numpy.py
    python3 06_cloud_to_numpy.py --ros-args -r points2:=/front/points2

Load docs/transport.md's profile first: a cloud of 1280x720 is 14.7 MB. Writes cloud.npz with
xyz, float32 (N, 3) in the optical frame (x right, y down, z forward), and rgb, uint8 (N, 3).
"""

import numpy as np
import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import PointCloud2


def to_arrays(cloud):
    """A point has 16 bytes: x, y, z as float32, then blue, green, red and one of zero."""
    memory = np.frombuffer(cloud.data, np.uint8).reshape(-1, cloud.point_step)
    xyz = memory[:, :12].copy().view(np.float32)
    rgb = memory[:, 14:11:-1]
    measured = np.isfinite(xyz[:, 2])  # an organised cloud has NaN where nothing was measured
    return xyz[measured], rgb[measured]


rclpy.init()
node = rclpy.create_node('cloud_to_numpy')
clouds = []
node.create_subscription(PointCloud2, 'points2', clouds.append, qos_profile_sensor_data)
while not clouds:
    rclpy.spin_once(node)
xyz, rgb = to_arrays(clouds[0])
np.savez('cloud.npz', xyz=xyz, rgb=rgb)
print(f'{len(xyz)} of {clouds[0].width * clouds[0].height} pixels have a point')
print(f'the nearest is {xyz[:, 2].min():.3f} m away, cloud.npz written')
