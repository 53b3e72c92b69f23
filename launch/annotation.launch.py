# SPDX-License-Identifier: Apache-2.0
"""
Boxes in space and labelled points, of the masks of a detector and the depth of a depth node.

    ros2 launch vizion3d_ros annotation.launch.py instances:=/yolo/instances
"""

from launch import LaunchDescription
from vizion3d_ros.launching import DepthLaunch

INPUTS = {
    'depth': 'depth/image',
    'depth_info': 'depth/camera_info',
    'points': 'points2',
    'instances': 'instances/image',
    'detections': 'instances/detections',
    'image': 'left/image_rect',
}
TEXTS = {
    'depth': 'Topic of the depth image',
    'depth_info': 'Topic of its calibration',
    'points': 'Topic of the cloud, with cloud:=points2',
    'instances': 'Topic of the label image of the detector',
    'detections': 'Topic of the classes of the detector',
    'image': 'Topic of the image to segment, with backend:=segmenter',
}
PARAMETERS = {
    'backend': 'masks or segmenter',
    'cloud': 'depth or points2',
    'box': 'aligned or oriented',
}
ARGUMENTS = {
    **{name: (INPUTS[name], text) for name, text in TEXTS.items()},
    **{name: ('', f'{text}; empty = what params_file says') for name, text in PARAMETERS.items()},
}


def remappings(values: dict[str, str]) -> dict[str, str]:
    """Take each input from the topic that was named."""
    return {ours: values[name] for name, ours in INPUTS.items() if values[name] != ours}


def generate_launch_description() -> LaunchDescription:
    """Arguments, transport and node."""
    parameters = {name: name for name in PARAMETERS}
    return DepthLaunch(
        'annotation', ARGUMENTS, parameters, remappings, without=('rectify',)
    ).description()
