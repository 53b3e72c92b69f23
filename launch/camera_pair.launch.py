# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from two plain cameras with any driver, rectified here by their calibrations.

    ros2 run usb_cam usb_cam_node_exe --ros-args -r __ns:=/left -p video_device:=/dev/video0 ...
    ros2 run usb_cam usb_cam_node_exe --ros-args -r __ns:=/right -p video_device:=/dev/video2 ...
    ros2 launch vizion3d_ros camera_pair.launch.py

Names are those of usb_cam 0.8.1 and v4l2_camera in a namespace for each side, and of camera_ros
0.7.0 whose nodes are called left and right: image_raw and camera_info. A pair calibrated together
(camera_calibration) has R, P and with them the baseline in these. No such driver publishes TF: for
rviz2 give parent_frame:=map, and as camera_frame the frame_id of the left one.
"""

from launch import LaunchDescription
from vizion3d_ros.launching import stereo_launch


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, node, and rviz2 if wanted."""
    return stereo_launch(
        'camera_pair',
        camera_namespace='/',
        image='image_raw',
        camera_frame='default_cam',  # of usb_cam, unless its frame_id is set
    ).description()
