# SPDX-License-Identifier: Apache-2.0
import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

def create_cloud_xyz32(header: Header, points: NDArray[np.float32]) -> PointCloud2: ...
