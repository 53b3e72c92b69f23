# SPDX-License-Identifier: Apache-2.0
"""
What `ros2 run` starts, whatever its name.

A node takes seconds to import; Ctrl-C meanwhile ends it without a word, as it does later on.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path

ROOMS = {
    'nodes': ('stereo_node', 'mono_node', 'service_node'),
    'testbed': ('synthetic_rig', 'play_pair', 'recorder'),
}
MODULES = {name: f'vizion3d_ros.ros.{room}.{name}' for room in ROOMS for name in ROOMS[room]}


def main() -> int:
    """Import and run what the script is called; gives the exit code."""
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(0))
    module = importlib.import_module(MODULES[Path(sys.argv[0]).stem])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    exit_code: int = module.main()
    return exit_code
