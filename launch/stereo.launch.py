# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from any rig: two cameras of known calibration, rectified already or here.

    ros2 launch vizion3d_ros stereo.launch.py left_namespace:=/cam/left right_namespace:=/cam/right
"""

from launch import LaunchDescription
from vizion3d_ros.launching import DepthLaunch, camera_inputs

ARGUMENTS = {
    'left_namespace': ('left', 'Where the left camera publishes'),
    'right_namespace': ('right', 'Where the right camera publishes'),
    'image': ('image_rect', 'Name of the image inside each camera namespace'),
    'camera_info': ('camera_info', 'Name of the calibration inside each camera namespace'),
    'backend': ('', 'The matcher; empty = what params_file says'),
}


def remappings(values: dict[str, str]) -> dict[str, str]:
    """Take the inputs of both sides from their cameras."""
    return {
        **camera_inputs(values, 'left_namespace', 'left'),
        **camera_inputs(values, 'right_namespace', 'right'),
    }


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, node, and rviz2 if wanted."""
    return DepthLaunch('stereo', ARGUMENTS, {'backend': 'backend'}, remappings).description()
