# SPDX-License-Identifier: Apache-2.0
"""The demo is a script beside the package: its folder goes on the path, as when it is run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / 'demo'))
