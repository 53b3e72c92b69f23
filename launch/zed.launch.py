# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from the two lenses of a ZED.

    ros2 launch zed_wrapper zed_camera.launch.py camera_model:=zed2i ros_params_override_path:=FILE
    ros2 launch vizion3d_ros zed.launch.py

Topics and frames are those of zed_wrapper 5.4.1, where video.publish_left_right is false unless
FILE sets it. Before version 5: left_namespace:=zed_node/left right_namespace:=zed_node/right
image:=image_rect_color.
"""

from launch import LaunchDescription
from vizion3d_ros.launching import stereo_launch


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, node, and rviz2 if wanted."""
    return stereo_launch(
        'zed',
        camera_namespace='/',
        camera_name='zed',
        left_namespace='zed_node/left/color/rect',
        right_namespace='zed_node/right/color/rect',
        image='image',
        camera_frame='zed_left_camera_frame_optical',
    ).description()
