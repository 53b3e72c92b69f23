# SPDX-License-Identifier: Apache-2.0
"""
What the launch files share: launch arguments become a depth node, and rviz2 on the same topics.

Imported by `ros2 launch`, not by a node: neither torch nor rclpy is loaded here.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, sin
from typing import Any

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    OpaqueFunction,
    SetEnvironmentVariable,
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
STEREO: Arguments = {
    'camera_namespace': ('', 'Namespace in which the driver of the rig is'),
    'camera_name': ('', 'Name of the rig in that namespace, before those of both cameras'),
    'left_namespace': ('left', 'Where the left camera publishes'),
    'right_namespace': ('right', 'Where the right camera publishes'),
    'image': ('image_rect', 'Name of the image inside each camera namespace'),
    'camera_info': ('camera_info', 'Name of the calibration inside each camera namespace'),
    'backend': ('', 'The matcher; empty = what params_file says'),
    'preset': (
        '',
        'fast, balanced or quality: how much of the resolution sgbm matches; '
        'empty = what params_file says',
    ),
    'baseline_m': ('', 'Baseline in metres; empty = what params_file says, 0 = of camera_info'),
}
COMMON: Arguments = {
    'min_depth': ('', 'Nearest depth in metres; empty = what params_file says'),
    'max_depth': ('', 'Farthest depth in metres; empty = what params_file says'),
    'rectify': (
        '',
        'true = the images are raw (image:=image_raw) and get rectified by the node; '
        'empty = what params_file says',
    ),
    'image_transport': (
        '',
        'raw or compressed: how the images come, as in image_transport; '
        'empty = what params_file says',
    ),
    'autostart': ('', 'false = wait for a lifecycle manager; empty = what params_file says'),
    'use_sim_time': ('', 'true = take the time from /clock; empty = what params_file says'),
    'use_fqn': ('', 'true = reports with the namespace in front; empty = what params_file says'),
    'log_level': ('info', 'How much the node says'),
    'rviz': ('false', 'Show images and cloud in rviz2'),
    'fixed_frame': (
        '',
        'What rviz2 draws in: a frame of your TF tree; empty = parent_frame, else camera_frame',
    ),
    'camera_frame': ('rig_left_optical_frame', 'frame_id of the (left) images'),
    'parent_frame': (
        '',
        'Frame of the robot, as base_link or map, in which camera_frame is published at '
        'camera_pose; empty = the driver or the robot description does that',
    ),
    'camera_pose': (
        '0 0 0 0 0 0',
        'x y z roll pitch yaw of the camera in parent_frame, metres and radians; at zero it looks '
        'along x, z up',
    ),
    'transport_profile': (
        PathJoinSubstitution([SHARE, 'config', 'fastdds_shm.xml']),
        'Fast DDS profile for large messages, unless the environment names one; none = none',
    ),
}
BAG: Arguments = {'bag': ('', 'Bag to play with its clock; empty = you play one')}
NO_PROFILE = ('none', '')  # ros2 launch itself takes no empty values
CHOICES = {'log_level': ['debug', 'info', 'warn', 'error', 'fatal']}
COMMON_PARAMETERS = {
    **{name: name for name in ('min_depth', 'max_depth', 'rectify', 'image_transport')},
    **{name: name for name in ('autostart', 'use_sim_time')},
    'use_fqn': 'diagnostic_updater.use_fqn',
}
STEREO_PARAMETERS = {'backend': 'backend', 'preset': 'sgbm.preset', 'baseline_m': 'baseline_m'}


@dataclass(frozen=True)
class DepthLaunch:
    """How one of the depth nodes is started."""

    kind: str
    """stereo, mono or annotation, which names the node and its view in rviz2."""
    arguments: Arguments
    """Those beside the common ones."""
    parameters: Mapping[str, str]
    """Of these arguments, the ones that set a parameter of the node, with its name."""
    remappings: Callable[[Values], Mapping[str, str]]
    """The inputs of the node, with the topics that they are to come from."""
    config: str = ''
    """Name of the parameter file in config/, if that is not the one of the kind."""
    defaults: Values = field(default_factory=dict)
    """Defaults of arguments, where they are others than those of the tables."""
    without: tuple[str, ...] = ()
    """Common arguments that mean nothing to this node."""

    def description(self) -> LaunchDescription:
        """Arguments, transport, node, and rviz2 if wanted."""
        arguments = [
            DeclareLaunchArgument(
                name,
                default_value=self.defaults.get(name, default),
                description=text,
                choices=CHOICES.get(name),
            )
            for name, (default, text) in self._all_arguments().items()
        ]
        steps = [OpaqueFunction(function=function) for function in (transport, self._start)]
        return LaunchDescription([*arguments, *steps])

    def _all_arguments(self) -> Arguments:
        params_file = PathJoinSubstitution([SHARE, 'config', f'{self.config or self.kind}.yaml'])
        explained = (params_file, 'Parameters of the node; the shipped file explains each')
        common = {n: a for n, a in COMMON.items() if n not in self.without}
        return {**NAMESPACE, **self.arguments, 'params_file': explained, **common}

    def _start(self, context: LaunchContext) -> list[Action]:
        """Start the nodes, or end with the reason before any of them has started."""
        names = self._all_arguments()
        values = {name: LaunchConfiguration(name).perform(context) for name in names}
        if reason := what_is_missing(values):
            raise RuntimeError(reason)  # launch logs it, ends, and says so by its exit code
        return self._nodes(values)

    def _nodes(self, values: Values) -> list[Action]:
        topics = {
            'namespace': values['namespace'],
            'remappings': list(self.remappings(values).items()),
        }
        nodes: list[Action] = [self._depth_node(values, topics), self._rviz(values, topics)]
        if values['parent_frame']:
            nodes.append(static_transform(values))
        if values.get('bag'):
            nodes.append(ExecuteProcess(cmd=['ros2', 'bag', 'play', values['bag'], '--clock']))
        return nodes

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
        frame = values['fixed_frame'] or values['parent_frame'] or values['camera_frame']
        return Node(
            package='rviz2',
            executable='rviz2',
            arguments=['-d', view, '-f', frame],
            parameters=overrides(values, {'use_sim_time': 'use_sim_time'}),
            condition=IfCondition(values['rviz']),
            **topics,
        )


def stereo_launch(rig: str = '', more: Arguments | None = None, **defaults: str) -> DepthLaunch:
    """
    Start the stereo node for a rig: with config/<rig>.yaml and what else is known of its driver.

    more: arguments beside those of every rig; defaults: what its arguments are unless given.
    """
    arguments = {**STEREO, **(more or {})}
    return DepthLaunch('stereo', arguments, STEREO_PARAMETERS, stereo_inputs, rig, defaults)


def stereo_inputs(values: Values) -> dict[str, str]:
    """Take the inputs of both sides from their cameras."""
    rig = ('camera_namespace', 'camera_name')
    return {
        **camera_inputs(values, (*rig, 'left_namespace'), 'left'),
        **camera_inputs(values, (*rig, 'right_namespace'), 'right'),
    }


def camera_inputs(
    values: Values, namespaces: Sequence[str], node_namespace: str = ''
) -> dict[str, str]:
    """
    Map image and calibration, as the node calls them, to what a camera publishes.

    namespaces: the arguments that say where, from the outside; node_namespace: what the node puts
    before its names. A name that begins with / stands for itself.
    """
    place = posixpath.join(*(values[name] for name in namespaces))
    return {
        posixpath.join(node_namespace, ours): posixpath.join(place, values[theirs])
        for ours, theirs in (('image_rect', 'image'), ('camera_info', 'camera_info'))
    }


def overrides(values: Values, parameters: Mapping[str, str]) -> list[dict[str, object]]:
    """Parameters of the arguments that were given; an empty one leaves params_file its say."""
    given = {name: values[argument] for argument, name in parameters.items() if values[argument]}
    return [{name: yaml.safe_load(value) for name, value in given.items()}]


def static_transform(values: Values) -> Node:
    """Publish where the camera is: its optical frame, z forward and y down, in the parent."""
    x, y, z, *angles = map(float, values['camera_pose'].split())
    place = dict(zip(('x', 'y', 'z', 'qx', 'qy', 'qz', 'qw'), (x, y, z, *optical_turn(*angles))))
    frames = {'frame-id': values['parent_frame'], 'child-frame-id': values['camera_frame']}
    options = {**{name: f'{number:.9g}' for name, number in place.items()}, **frames}
    return Node(
        package='tf2_ros',
        executable='static_transform_publisher',
        arguments=[word for name, text in options.items() for word in (f'--{name}', text)],
        parameters=overrides(values, {'use_sim_time': 'use_sim_time'}),
    )


def optical_turn(roll: float, pitch: float, yaw: float) -> tuple[float, float, float, float]:
    """Quaternion x, y, z, w of the optical frame of a camera that is turned so, in radians."""
    (cr, sr), (cp, sp), (cy, sy) = ((cos(a / 2), sin(a / 2)) for a in (roll, pitch, yaw))
    x, y = sr * cp * cy - cr * sp * sy, cr * sp * cy + sr * cp * sy
    z, w = cr * cp * sy - sr * sp * cy, cr * cp * cy + sr * sp * sy
    # Times (-1, 1, -1, 1) / 2, which turns x forward, y left, z up into the optical axes.
    return (x - y - z - w) / 2, (x + y - z + w) / 2, (x + y + z - w) / 2, (x - y + z + w) / 2


def transport(context: LaunchContext) -> list[SetEnvironmentVariable]:
    """Select the transport profile, unless there is none or the environment names one."""
    profile = LaunchConfiguration('transport_profile').perform(context)
    missing = [name for name in PROFILE_VARIABLES if name not in context.environment]
    return [SetEnvironmentVariable(name, profile) for name in missing if profile not in NO_PROFILE]


def what_is_missing(values: Values) -> str:
    """Say which file or package of what was asked for is not there; '' if all is."""
    for name in ('params_file', 'transport_profile'):
        path = values[name]
        if not os.path.isfile(path) and (name == 'params_file' or path not in NO_PROFILE):
            return f'{name}: there is no file {path}: give its path'
    packages = {
        'rviz:=true': ('rviz2', values['rviz'].lower() in ('true', '1')),
        'parent_frame': ('tf2_ros', values['parent_frame']),
        'bag': ('ros2bag', values.get('bag')),
    }
    for argument, (package, wanted) in packages.items():
        if wanted and not _is_installed(package):
            return (
                f'{argument} needs {package}, which is not installed: install it, or leave it out'
            )
    return _bad_pose(values['camera_pose'])


def _bad_pose(text: str) -> str:
    try:
        count = len([float(word) for word in text.split()])
    except ValueError:
        count = 0
    expected = "six numbers 'x y z roll pitch yaw', in metres and radians"
    return '' if count == 6 else f'camera_pose: expected {expected}, got {text!r}'


def _is_installed(package: str) -> bool:
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True
