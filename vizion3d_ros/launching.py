# SPDX-License-Identifier: Apache-2.0
"""
What the launch files share: launch arguments become a depth node, and rviz2 on the same topics.

Imported by `ros2 launch`, not by a node: neither torch nor rclpy is loaded here.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    LogInfo,
    OpaqueFunction,
    SetEnvironmentVariable,
    Shutdown,
)
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from launch import Action, LaunchContext, LaunchDescription
from vizion3d_ros.transport import PROFILE_VARIABLES

Arguments = Mapping[str, tuple[str | PathJoinSubstitution, str]]
"""Default and description of each launch argument."""
Values = Mapping[str, str]
"""What each launch argument was given, or its default."""

SHARE = FindPackageShare('vizion3d_ros')
NAMESPACE: Arguments = {'namespace': ('', 'Namespace of the node and its outputs')}
COMMON: Arguments = {
    'rectify': (
        '',
        'true = the images are raw (image:=image_raw) and get rectified by the node; '
        'empty = what params_file says',
    ),
    'autostart': ('', 'false = wait for a lifecycle manager; empty = what params_file says'),
    'use_sim_time': ('', 'true = take the time from /clock; empty = what params_file says'),
    'log_level': ('info', 'How much the node says'),
    'rviz': ('false', 'Show images and cloud in rviz2'),
    'fixed_frame': ('rig_left_optical_frame', 'What rviz2 draws in: a frame of your TF tree'),
    'transport_profile': (
        PathJoinSubstitution([SHARE, 'config', 'fastdds_shm.xml']),
        'Fast DDS profile for large messages, unless the environment names one; none = none',
    ),
}
NO_PROFILE = ('none', '')  # ros2 launch itself takes no empty values
CHOICES = {'log_level': ['debug', 'info', 'warn', 'error', 'fatal']}
COMMON_PARAMETERS = {name: name for name in ('rectify', 'autostart', 'use_sim_time')}


@dataclass(frozen=True)
class DepthLaunch:
    """How one of the depth nodes is started."""

    kind: str
    """stereo, mono or annotation: names the node, its parameter file and its view in rviz2."""
    arguments: Arguments
    """Those beside the common ones."""
    parameters: Mapping[str, str]
    """Of these arguments, the ones that set a parameter of the node, with its name."""
    remappings: Callable[[Values], Mapping[str, str]]
    """The inputs of the node, with the topics that they are to come from."""
    without: tuple[str, ...] = ()
    """Common arguments that mean nothing to this node."""

    def description(self) -> LaunchDescription:
        """Arguments, transport, node, and rviz2 if wanted."""
        arguments = [
            DeclareLaunchArgument(
                name, default_value=default, description=text, choices=CHOICES.get(name)
            )
            for name, (default, text) in self._all_arguments().items()
        ]
        steps = [OpaqueFunction(function=function) for function in (transport, self._start)]
        return LaunchDescription([*arguments, *steps])

    def _all_arguments(self) -> Arguments:
        params_file = PathJoinSubstitution([SHARE, 'config', f'{self.kind}.yaml'])
        explained = (params_file, 'Parameters of the node; the shipped file explains each')
        common = {n: a for n, a in COMMON.items() if n not in self.without}
        return {**NAMESPACE, **self.arguments, 'params_file': explained, **common}

    def _start(self, context: LaunchContext) -> list[Action]:
        """Start the nodes, or end with the reason before any of them has started."""
        names = self._all_arguments()
        values = {name: LaunchConfiguration(name).perform(context) for name in names}
        reason = what_is_missing(values)
        if reason:
            return [LogInfo(msg=reason), Shutdown(reason=reason)]
        return self._nodes(values)

    def _nodes(self, values: Values) -> list[Action]:
        topics = {
            'namespace': values['namespace'],
            'remappings': list(self.remappings(values).items()),
        }
        return [self._depth_node(values, topics), self._rviz(values, topics)]

    def _depth_node(self, values: Values, topics: Mapping[str, Any]) -> Node:
        name = f'{self.kind}_node'
        common = {n: p for n, p in COMMON_PARAMETERS.items() if n in values}
        given = overrides(values, {**self.parameters, **common})
        return Node(
            package='vizion3d_ros',
            executable=name,
            name=name,
            parameters=[values['params_file'], *given],
            ros_arguments=['--log-level', values['log_level']],
            output='both',
            emulate_tty=True,
            **topics,
        )

    def _rviz(self, values: Values, topics: Mapping[str, Any]) -> Node:
        view = PathJoinSubstitution([SHARE, 'rviz', f'{self.kind}.rviz'])
        return Node(
            package='rviz2',
            executable='rviz2',
            arguments=['-d', view, '-f', values['fixed_frame']],
            parameters=overrides(values, {'use_sim_time': 'use_sim_time'}),
            condition=IfCondition(values['rviz']),
            **topics,
        )


def camera_inputs(values: Values, namespace: str, node_namespace: str = '') -> dict[str, str]:
    """
    Map image and calibration, as the node calls them, to what a camera publishes.

    namespace: the argument that says where; node_namespace: what the node puts before its names.
    A name that begins with / stands for itself.
    """
    return {
        posixpath.join(node_namespace, ours): posixpath.join(values[namespace], values[theirs])
        for ours, theirs in (('image_rect', 'image'), ('camera_info', 'camera_info'))
    }


def overrides(values: Values, parameters: Mapping[str, str]) -> list[dict[str, object]]:
    """Parameters of the arguments that were given; an empty one leaves params_file its say."""
    given = {name: values[argument] for argument, name in parameters.items() if values[argument]}
    return [{name: yaml.safe_load(value) for name, value in given.items()}]


def transport(context: LaunchContext) -> list[SetEnvironmentVariable]:
    """Select the transport profile, unless there is none or the environment names one."""
    profile = LaunchConfiguration('transport_profile').perform(context)
    missing = [name for name in PROFILE_VARIABLES if name not in context.environment]
    return [SetEnvironmentVariable(name, profile) for name in missing if profile not in NO_PROFILE]


def what_is_missing(values: Values) -> str:
    """Say which file or package of what was asked for is not there; '' if all is."""
    params_file = values['params_file']
    if not os.path.isfile(params_file):
        return f'there is no parameter file {params_file}: give params_file:= the path of one'
    if values['rviz'].lower() in ('true', '1') and not _is_installed('rviz2'):
        return 'rviz:=true needs rviz2, which is not installed: install it, or leave rviz out'
    profile = values['transport_profile']
    if profile not in NO_PROFILE and not os.path.isfile(profile):
        return f'there is no transport profile {profile}: give its path, or none'
    return ''


def _is_installed(package: str) -> bool:
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True
