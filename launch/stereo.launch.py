# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from any rig that publishes rectified images.

    ros2 launch vizion3d_ros stereo.launch.py left_namespace:=/cam/left right_namespace:=/cam/right
"""

import yaml
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from launch import LaunchContext, LaunchDescription

SHARE = FindPackageShare('vizion3d_ros')
ARGUMENTS = {
    'namespace': ('', 'Namespace of the node and its outputs'),
    'left_namespace': ('left', 'Where the left camera publishes'),
    'right_namespace': ('right', 'Where the right camera publishes'),
    'image': ('image_rect', 'Name of the rectified image inside each camera namespace'),
    'camera_info': ('camera_info', 'Name of the calibration inside each camera namespace'),
    'params_file': (
        PathJoinSubstitution([SHARE, 'config', 'stereo.yaml']),
        'Parameters of the node; the shipped file explains each',
    ),
    'backend': ('', 'The matcher; empty = what params_file says'),
    'autostart': ('', 'false = wait for a lifecycle manager; empty = what params_file says'),
    'use_sim_time': ('', 'true = take the time from /clock; empty = what params_file says'),
    'log_level': ('info', 'debug, info, warn, error or fatal'),
    'rviz': ('false', 'Show images and cloud in rviz2'),
    'fixed_frame': ('rig_left_optical_frame', 'What rviz2 draws in: a frame of your TF tree'),
    'transport_profile': (
        PathJoinSubstitution([SHARE, 'config', 'fastdds_shm.xml']),
        'Fast DDS profile for large messages, unless the environment names one; empty = none',
    ),
}
# Fast DDS 2 reads the first name, Fast DDS 3 the second.
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def overrides(context: LaunchContext, *names: str) -> list[dict[str, object]]:
    """Parameters of the arguments that were given; an empty one leaves params_file its say."""
    given = {name: LaunchConfiguration(name).perform(context) for name in names}
    return [{name: yaml.safe_load(value) for name, value in given.items() if value}]


def nodes(context: LaunchContext) -> list[Node]:
    """Make the stereo node, and rviz2 on the same topics."""
    remappings = [
        (
            f'{side}/{ours}',
            '/'.join(
                LaunchConfiguration(name).perform(context).rstrip('/')
                for name in (f'{side}_namespace', theirs)
            ),
        )
        for side in ('left', 'right')
        for ours, theirs in (('image_rect', 'image'), ('camera_info', 'camera_info'))
    ]
    common = {'namespace': LaunchConfiguration('namespace'), 'remappings': remappings}
    stereo = Node(
        package='vizion3d_ros',
        executable='stereo_node',
        name='stereo_node',
        parameters=[
            LaunchConfiguration('params_file'),
            *overrides(context, 'backend', 'autostart', 'use_sim_time'),
        ],
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        output='both',
        emulate_tty=True,
        **common,
    )
    rviz = Node(
        package='rviz2',
        executable='rviz2',
        arguments=[
            *('-d', PathJoinSubstitution([SHARE, 'rviz', 'stereo.rviz'])),
            *('-f', LaunchConfiguration('fixed_frame')),
        ],
        parameters=overrides(context, 'use_sim_time'),
        condition=IfCondition(LaunchConfiguration('rviz')),
        **common,
    )
    return [stereo, rviz]


def transport(context: LaunchContext) -> list[SetEnvironmentVariable]:
    """Select the transport profile, unless there is none or the environment names one."""
    profile = LaunchConfiguration('transport_profile').perform(context)
    missing = [name for name in PROFILE_VARIABLES if name not in context.environment]
    return [SetEnvironmentVariable(name, profile) for name in missing if profile]


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, node, and rviz2 if wanted."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    steps = [OpaqueFunction(function=function) for function in (transport, nodes)]
    return LaunchDescription([*arguments, *steps])
