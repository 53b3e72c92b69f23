# SPDX-License-Identifier: Apache-2.0
"""The only folder that knows ROS: topics in, topics out."""

import os
import sys

# OpenMP threads wait by spinning unless told otherwise, and then a network on the CPU gets ten
# times slower as soon as a camera driver or rviz2 takes a core. Read once, when torch is loaded.
# A launch file that imports from here is another's process, whose children we leave alone.
if 'launch' not in sys.modules:
    os.environ.setdefault('OMP_WAIT_POLICY', 'passive')
