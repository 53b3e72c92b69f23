# SPDX-License-Identifier: Apache-2.0
from typing import Any

from numpy.typing import NDArray
from sensor_msgs.msg import Image

class CvBridge:
    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = ...) -> NDArray[Any]: ...
