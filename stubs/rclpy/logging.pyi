# SPDX-License-Identifier: Apache-2.0
from rclpy.impl.rcutils_logger import RcutilsLogger

def get_logger(name: str) -> RcutilsLogger: ...
