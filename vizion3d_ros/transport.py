# SPDX-License-Identifier: Apache-2.0
"""
The transport profile for large messages, chosen before a process joins the network.

The launch files choose it for the nodes they start; what is run by itself chooses it here.
"""

from __future__ import annotations

import os
import shutil

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

# Fast DDS 2 reads the first name, Fast DDS 3 the second.
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
SEGMENT_BYTES = 128 << 20  # config/fastdds_shm.xml
SHARED_MEMORY = '/dev/shm'


def use_transport_profile() -> None:
    """Choose config/fastdds_shm.xml, unless the environment names one or there is no room."""
    if any(name in os.environ for name in PROFILE_VARIABLES) or not _has_room():
        return
    try:
        share = get_package_share_directory('vizion3d_ros')
    except PackageNotFoundError:  # run from a checkout that is not built
        return
    profile = os.path.join(share, 'config', 'fastdds_shm.xml')
    os.environ.update(dict.fromkeys(PROFILE_VARIABLES, profile))


def _has_room() -> bool:
    """Whether a segment and that of another process fit; containers begin with 64 MiB."""
    try:
        return shutil.disk_usage(SHARED_MEMORY).free > 2 * SEGMENT_BYTES
    except OSError:
        return False
