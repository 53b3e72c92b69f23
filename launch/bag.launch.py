# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from a bag, in the time of the bag.

    ros2 launch vizion3d_ros bag.launch.py bag:=path/to/bag left_namespace:=/cam/left \
        right_namespace:=/cam/right

Without bag:= play it yourself, with --clock. For a bag of one of the rigs that have a launch file
take that one, with use_sim_time:=true.
"""

from launch import LaunchDescription
from vizion3d_ros.launching import BAG, stereo_launch


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, bag, node, and rviz2 if wanted."""
    return stereo_launch('bag', BAG, use_sim_time='true').description()
