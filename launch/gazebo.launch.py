# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from two camera sensors of Gazebo.

    ros2 run ros_gz_bridge parameter_bridge /clock@rosgraph_msgs/msg/Clock[gz.msgs.Clock \
        /rig/left/image@sensor_msgs/msg/Image[gz.msgs.Image \
        /rig/left/camera_info@sensor_msgs/msg/CameraInfo[gz.msgs.CameraInfo ...   the same of right
    ros2 launch vizion3d_ros gazebo.launch.py camera_name:=rig baseline_m:=0.12

Names are those of gz-sensors 11 for sensors whose <topic> is rig/left/image and rig/right/image:
camera_info stands beside the image. Both cameras are alike and look the same way, so the images
are rectified. <optical_frame_id> names the frame; without it the axes are those of the link.
"""

from launch import LaunchDescription
from vizion3d_ros.launching import stereo_launch


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, node, and rviz2 if wanted."""
    return stereo_launch(
        'gazebo', camera_namespace='/', camera_name='rig', image='image', use_sim_time='true'
    ).description()
