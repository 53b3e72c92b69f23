# SPDX-License-Identifier: Apache-2.0
"""
Stereo depth from any rig that publishes rectified images.

    ros2 launch vizion3d_ros stereo.launch.py left_namespace:=/cam/left right_namespace:=/cam/right
"""

from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.conditions import IfCondition
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
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
    'autostart': ('true', 'false = wait for a lifecycle manager'),
    'use_sim_time': ('false', 'Take the time from /clock'),
    'log_level': ('info', 'debug, info, warn, error or fatal'),
    'rviz': ('false', 'Show images and cloud in rviz2'),
    'transport_profile': (
        PathJoinSubstitution([SHARE, 'config', 'fastdds_shm.xml']),
        'Fast DDS profile for large messages, unless the environment names one',
    ),
}
# Fast DDS 2 reads the first name, Fast DDS 3 the second.
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def stereo_node(context: LaunchContext) -> list[Node]:
    """Make the node; an OpaqueFunction, so that an empty backend leaves params_file its say."""
    flags = ('autostart', 'use_sim_time')
    overrides = {
        name: ParameterValue(LaunchConfiguration(name), value_type=bool) for name in flags
    }
    backend = LaunchConfiguration('backend').perform(context)
    if backend:
        overrides['backend'] = backend
    remappings = [
        (
            f'{side}/{ours}',
            [LaunchConfiguration(f'{side}_namespace'), '/', LaunchConfiguration(theirs)],
        )
        for side in ('left', 'right')
        for ours, theirs in (('image_rect', 'image'), ('camera_info', 'camera_info'))
    ]
    return [
        Node(
            package='vizion3d_ros',
            executable='stereo_node',
            name='stereo_node',
            namespace=LaunchConfiguration('namespace'),
            parameters=[LaunchConfiguration('params_file'), overrides],
            remappings=remappings,
            ros_arguments=['--log-level', LaunchConfiguration('log_level')],
            output='both',
            emulate_tty=True,
        )
    ]


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport, node, and rviz2 if wanted."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    transport = [
        SetEnvironmentVariable(
            name, EnvironmentVariable(name, default_value=LaunchConfiguration('transport_profile'))
        )
        for name in PROFILE_VARIABLES
    ]
    rviz = Node(
        package='rviz2',
        executable='rviz2',
        namespace=LaunchConfiguration('namespace'),
        arguments=['-d', PathJoinSubstitution([SHARE, 'rviz', 'stereo.rviz'])],
        parameters=[
            {'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)}
        ],
        condition=IfCondition(LaunchConfiguration('rviz')),
    )
    return LaunchDescription([*arguments, *transport, OpaqueFunction(function=stereo_node), rviz])
