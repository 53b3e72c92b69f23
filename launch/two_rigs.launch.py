# SPDX-License-Identifier: Apache-2.0
"""
Two rigs, each with a node in a namespace of its own.

    ros2 launch vizion3d_ros two_rigs.launch.py first:=front second:=rear
    ros2 launch vizion3d_ros two_rigs.launch.py rig:=realsense first:=front second:=rear

Their outputs are /front/points2 and /rear/points2. The inputs of a plain rig are in the same
namespaces (/front/left/image_rect); a rig with a launch file of its own has camera_name front and
rear. All other arguments go to both.
"""

from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
)
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution

from launch import Action, LaunchContext, LaunchDescription
from vizion3d_ros.launching import SHARE

ARGUMENTS = {
    'rig': ('stereo', 'Launch file of both rigs, as stereo or realsense'),
    'first': ('front', 'Namespace of the first node, and name of its rig'),
    'second': ('rear', 'Namespace of the second node, and name of its rig'),
}


def both(context: LaunchContext) -> list[Action]:
    """Start the launch file of the rig twice, each in a scope of its own."""
    rig, *names = (LaunchConfiguration(name).perform(context) for name in ARGUMENTS)
    path = PathJoinSubstitution([SHARE, 'launch', f'{rig}.launch.py'])
    return [
        GroupAction([IncludeLaunchDescription(path, launch_arguments=given(rig, name).items())])
        for name in names
    ]


def given(rig: str, name: str) -> dict[str, str]:
    """What tells one rig from the other; both report on /diagnostics, so by full names."""
    return {
        'namespace': name,
        'use_fqn': 'true',
        # A plain rig is found by the namespace of its node.
        **({} if rig == 'stereo' else {'camera_name': name}),
    }


def generate_launch_description() -> LaunchDescription:
    """Arguments, and both rigs."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=both)])
