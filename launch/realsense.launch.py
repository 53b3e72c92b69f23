# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from the infrared pair of a RealSense D4xx.

    ros2 launch realsense2_camera rs_launch.py enable_infra1:=true enable_infra2:=true
    ros2 launch vizion3d_ros realsense.launch.py

Topics and frames are those of realsense2_camera 4.55.1, which rectifies in the camera and writes
the baseline into the camera_info of infra2. camera_namespace and camera_name as given there.
"""

from launch import LaunchDescription
from vizion3d_ros.launching import stereo_launch


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, node, and rviz2 if wanted."""
    return stereo_launch(
        'realsense',
        camera_namespace='/camera',
        camera_name='camera',
        left_namespace='infra1',
        right_namespace='infra2',
        image='image_rect_raw',
        # The driver publishes TF from camera_link to this one.
        camera_frame='camera_infra1_optical_frame',
    ).description()
