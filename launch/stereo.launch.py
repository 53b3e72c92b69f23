# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from any rig: two cameras of known calibration, rectified already or here.

    ros2 launch vizion3d_ros stereo.launch.py left_namespace:=/cam/left right_namespace:=/cam/right
"""

from launch import LaunchDescription
from vizion3d_ros.launching import stereo_launch


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, node, and rviz2 if wanted."""
    return stereo_launch().description()
