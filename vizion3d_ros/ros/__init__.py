# SPDX-License-Identifier: Apache-2.0
"""The only folder that knows ROS: topics in, topics out."""

import importlib.util
import os
import signal
import sys

from vizion3d_ros.contracts.errors import InputError
from vizion3d_ros.files.current_folder import check_current_folder

BY_MODULE = sys.argv[:1] == ['-m']  # `python -m` on a node, while Python looks for it

if not importlib.util.find_spec('rclpy'):
    missing = (
        'ROS 2 is not here (no module rclpy): source a distribution, as in ". /opt/ros/jazzy/'
        'setup.bash", or use the ROS 2 that "make build" brings, by .venv/bin/python'
    )
    if BY_MODULE:  # a person reads this
        sys.exit(missing)
    raise ModuleNotFoundError(missing, name='rclpy')

# OpenMP threads wait by spinning unless told otherwise, and then a network on the CPU gets ten
# times slower as soon as a camera driver or rviz2 takes a core. Read once, when torch is loaded.
# So it stands here, before a node imports torch.
os.environ.setdefault('OMP_WAIT_POLICY', 'passive')
# An image that is damaged is told in a sentence, and not once more in OpenCV's words.
os.environ.setdefault('OPENCV_LOG_LEVEL', 'SILENT')


def leave_on_interrupt() -> None:
    """
    Let Ctrl-C end the process without a word, until run_node takes over.

    A node takes seconds to import, and nothing is there yet to be ended well.
    """
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(0))


def before_imports() -> None:
    """Have what takes seconds to import end well meanwhile, or not begin where it cannot."""
    leave_on_interrupt()
    try:
        check_current_folder()
    except InputError as error:
        sys.exit(str(error))


if BY_MODULE:
    before_imports()
