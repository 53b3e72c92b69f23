# SPDX-License-Identifier: Apache-2.0
"""
Stand-in for the ROS 2 package cv_bridge, which PyPI does not carry.

Only the calls that vizion3d_ros makes, with upstream's names and behaviour. On a ROS
distribution the real package is used.
"""

from .bridge import CvBridge, CvBridgeError

__all__ = ['CvBridge', 'CvBridgeError']
