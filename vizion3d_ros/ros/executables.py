# SPDX-License-Identifier: Apache-2.0
"""What `ros2 run` starts, whatever its name."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from vizion3d_ros.ros import before_imports

ROOMS = {
    'nodes': ('stereo_node', 'mono_node', 'annotation_node', 'service_node'),
    'testbed': ('synthetic_rig', 'play_pair', 'recorder', 'view'),
}
MODULES = {name: f'vizion3d_ros.ros.{room}.{name}' for room in ROOMS for name in ROOMS[room]}


def main() -> int:
    """Import and run what the script is called; gives the exit code."""
    before_imports()
    module = importlib.import_module(MODULES[Path(sys.argv[0]).stem])
    exit_code: int = module.main()
    return exit_code
