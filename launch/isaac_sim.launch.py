# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from the front stereo camera of Isaac Sim's sample scene.

    ros2 launch vizion3d_ros isaac_sim.launch.py

Names are those that isaac_ros_ess takes from Isaac Sim (release 4.0). ROS2 Camera Info Helper
writes the baseline into the right camera_info if both render products are given to it.
"""

from launch import LaunchDescription
from vizion3d_ros.launching import stereo_launch


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, node, and rviz2 if wanted."""
    return stereo_launch(
        'isaac_sim',
        camera_namespace='/',
        camera_name='front_stereo_camera',
        image='image_rect_color',
        camera_frame='front_stereo_camera_left_optical',
        use_sim_time='true',
    ).description()
