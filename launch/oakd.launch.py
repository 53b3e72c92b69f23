# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from the mono pair of an OAK-D, rectified in the camera.

    ros2 launch depthai_ros_driver camera.launch.py params_file:=FILE
    ros2 launch vizion3d_ros oakd.launch.py

Topics and frames are those of depthai_ros_driver 2.10.3. FILE is its config/isaac_vslam.yaml, or
has as that one stereo.i_publish_synced_rect_pair, which publishes the rectified pair, and
stereo.i_reverse_stereo_socket_order, without which the baseline is in the left camera_info.
"""

from launch import LaunchDescription
from vizion3d_ros.launching import stereo_launch


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, node, and rviz2 if wanted."""
    return stereo_launch(
        'oakd',
        camera_namespace='/',
        camera_name='oak',
        # Rectified all the same: the driver keeps the name.
        image='image_raw',
        camera_frame='oak_left_camera_optical_frame',
    ).description()
