# SPDX-License-Identifier: Apache-2.0
"""
Depth from one camera: relative, or metric with a metric checkpoint or with sparse depth.

    ros2 launch vizion3d_ros mono.launch.py camera_namespace:=/cam sparse_points:=/lidar/points
"""

from launch import LaunchDescription
from vizion3d_ros.launching import DepthLaunch, camera_inputs

ARGUMENTS = {
    'camera_namespace': ('camera', 'Where the camera publishes'),
    'image': ('image_rect', 'Name of the image inside camera_namespace'),
    'camera_info': ('camera_info', 'Name of the calibration inside camera_namespace'),
    'sparse_points': (
        '',
        'Topic of lidar or SLAM points (PointCloud2) that give a relative checkpoint its metres; '
        'empty = sparse_depth/points',
    ),
    'sparse_image': (
        '',
        'The same as a depth image of that camera; empty = sparse_depth/image',
    ),
    'model': (
        '',
        'The checkpoint: a name that fetch_models lists, an https address or a file; '
        'empty = what params_file says',
    ),
}
SPARSE = {'sparse_depth/points': 'sparse_points', 'sparse_depth/image': 'sparse_image'}


def remappings(values: dict[str, str]) -> dict[str, str]:
    """Take the image from the camera, and sparse depth from the topics that were named."""
    given = {ours: values[name] for ours, name in SPARSE.items() if values[name]}
    return {**camera_inputs(values, ('camera_namespace',)), **given}


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, node, and rviz2 if wanted."""
    parameters = {'model': 'depth_anything_v2.model_backend'}
    return DepthLaunch('mono', ARGUMENTS, parameters, remappings).description()
